/* Lines for people: cleaned text in columns. Widths are counted in code points, without a locale. */
#ifndef MIRRORCTL_SRC_PLAN_COLUMNS_H
#define MIRRORCTL_SRC_PLAN_COLUMNS_H

#include "mirrorctl/base.h"

struct columns {
    struct buf *out;
    struct err *e;
    bool color;
    size_t width; /* 0 = no limit */
    size_t at;    /* where the line stands */
};

enum paint { PAINT_NONE, PAINT_BOLD, PAINT_DIM, PAINT_GREEN, PAINT_YELLOW, PAINT_RED, PAINT_CYAN };

/*
 * Text from a server or a manifest as it may go to a terminal: control characters, bidirectional
 * overrides and broken UTF-8 escaped; at most max code points (0 = all), then "…". Within quotes `"` and
 * `\` are escaped as well. In the arena.
 */
char *plan_text_clean(struct arena *a, const char *s, size_t max, bool quoted);
size_t plan_text_width(const char *clean);
/* The first `width` columns, the last of them "…" when something was cut. In the arena. */
const char *plan_text_cut(struct arena *a, const char *clean, size_t width);

enum err_code columns_put(struct columns *c, enum paint p, const char *clean);
/* Blanks up to column `to`; at least two when there is text already. */
enum err_code columns_pad(struct columns *c, size_t to);
/* Words of text from here on, continued below at column `indent`. */
enum err_code columns_wrap(struct columns *c, enum paint p, const char *clean, size_t indent);
enum err_code columns_end(struct columns *c);

#endif
