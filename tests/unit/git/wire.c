/* The parsers of what servers send, against answers that are right, cut short, too large and
 * hostile. */
#include "../../../src/git/wire.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define L "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

/* Lines of a script: each string becomes a pkt-line, "" a flush; "|" in it stands for NUL. */
static void write_lines(struct buf *out, const char *const *lines)
{
    struct err e = ERR_INIT;
    for (; *lines != NULL; lines++) {
        if (**lines == '\0') {
            assert_int_equal(pkt_add_flush(out, &e), ERR_OK);
            continue;
        }
        char *copy = mem_strdup(*lines);
        size_t n = strlen(copy);
        for (char *p = copy; *p != '\0'; p++)
            *p = *p == '|' ? '\0' : *p;
        assert_int_equal(pkt_add(out, copy, n, &e), ERR_OK);
        free(copy);
    }
}

static enum err_code parse(struct arena *a, const char *const *lines, const char *service,
                           struct advert *out, struct err *e)
{
    CLEANUP(buf_release) struct buf bytes = BUF_INIT(1 << 20);
    write_lines(&bytes, lines);
    return advert_parse(a, bytes.data, bytes.len, service, out, e);
}

/* ---- Advertisement --------------------------------------------------------------------------- */

static void reads_an_advertisement(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct err e = ERR_INIT;
    struct advert x;
    const char *const lines[] = {
        A " refs/heads/main|report-status report-status-v2 delete-refs side-band-64k ofs-delta "
          "atomic object-format=sha1 quiet agent=x/1 push-options\n",
        B " refs/mirrorctl/role\n",
        A " refs/tags/v1",
        B " refs/tags/v1^{}\n",
        A " .have\n",
        "",
        NULL};

    assert_int_equal(parse(a, lines, NULL, &x, &e), ERR_OK);
    assert_int_equal(x.refs.n, 3);
    assert_string_equal(x.refs.items[0].name, "refs/heads/main");
    assert_string_equal(x.refs.items[0].oid, A);
    assert_string_equal(x.refs.items[2].name, "refs/tags/v1");
    assert_string_equal(x.refs.marker, B);
    assert_string_equal(x.refs.object_format, "sha1");
    assert_true(x.refs.atomic && x.refs.side_band && x.refs.delete_refs && x.refs.ofs_delta);
    assert_true(x.report_status && x.quiet && x.agent && x.names_format);
    assert_false(x.refs.empty);
}

static void reads_smart_http(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct err e = ERR_INIT;
    struct advert x;
    const char *const lines[] = {"# service=git-upload-pack\n",
                                 "",
                                 A " HEAD|multi_ack symref=HEAD:refs/heads/trunk\n",
                                 B " refs/heads/b\n",
                                 A " refs/heads/trunk\n",
                                 "",
                                 NULL};

    assert_int_equal(parse(a, lines, "git-upload-pack", &x, &e), ERR_OK);
    assert_string_equal(x.head, "refs/heads/trunk");
    assert_int_equal(x.refs.n, 2);
    assert_false(x.refs.atomic);
    assert_int_equal(parse(a, lines, "git-receive-pack", &x, &e), ERR_INVALID);
    assert_int_equal(parse(a, lines + 2, "git-upload-pack", &x, &e), ERR_INVALID);
    /* The default branch of a server that does not name it. */
    const char *const old[] = {A " HEAD|x\n", B " refs/heads/b\n", A " refs/heads/t\n", "", NULL};
    assert_int_equal(parse(a, old, NULL, &x, &e), ERR_OK);
    assert_string_equal(x.head, "refs/heads/t");
    const char *const two[] = {A " HEAD|x\n", A " refs/heads/b\n", A " refs/heads/t\n", "", NULL};
    assert_int_equal(parse(a, two, NULL, &x, &e), ERR_OK);
    assert_null(x.head);
}

static void reads_empty_repositories(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct err e = ERR_INIT;
    struct advert x;
    const char *const lines[] = {OID_ZERO " capabilities^{}|atomic\n", "", NULL};
    const char *const bare[] = {"", NULL};
    const char *const sha256[] = {L " refs/heads/main|atomic object-format=sha256\n", "", NULL};

    assert_int_equal(parse(a, lines, NULL, &x, &e), ERR_OK);
    assert_true(x.refs.empty && x.refs.atomic && x.refs.marker == NULL);
    assert_int_equal(parse(a, bare, NULL, &x, &e), ERR_OK);
    assert_true(x.refs.empty);
    assert_int_equal(parse(a, sha256, NULL, &x, &e), ERR_OK);
    assert_string_equal(x.refs.object_format, "sha256");
}

static void sorts_what_is_not(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct err e = ERR_INIT;
    struct advert x;
    const char *const lines[] = {A " refs/heads/b|\n", B " refs/heads/a\n", "", NULL};
    const char *const twice[] = {A " refs/heads/b|\n", B " refs/heads/b\n", "", NULL};

    assert_int_equal(parse(a, lines, NULL, &x, &e), ERR_OK);
    assert_string_equal(x.refs.items[0].name, "refs/heads/a");
    assert_int_equal(parse(a, twice, NULL, &x, &e), ERR_INVALID);
}

static void refuses_bad_advertisements(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    static const struct {
        const char *line;
        enum err_code code;
    } ROWS[] = {
        {"refs/heads/main|\n", ERR_INVALID},
        {A "refs/heads/main|\n", ERR_INVALID},
        {"abc refs/heads/main|\n", ERR_INVALID},
        {A " refs/heads/a b|\n", ERR_INVALID},
        {A " refs/heads/a\x1b[2J|\n", ERR_INVALID},
        {A " refs/heads/a:b|\n", ERR_INVALID},
        {L " refs/heads/a|object-format=sha1\n", ERR_INVALID},
        {A " refs/heads/a|object-format=sha256\n", ERR_INVALID},
        {"ERR Repository not found.\n", ERR_NOT_FOUND},
        {"ERR access denied or repository not here\n", ERR_PERMISSION},
        {"ERR the disk is on fire\n", ERR_UNAVAILABLE},
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct err e = ERR_INIT;
        struct advert x = {.head = "untouched"};
        const char *const lines[] = {ROWS[i].line, "", NULL};
        assert_int_equal(parse(a, lines, NULL, &x, &e), ROWS[i].code);
        assert_string_equal(x.head, "untouched");
        assert_null(strchr(e.text, '\x1b'));
    }
    struct err e = ERR_INIT;
    struct advert x;
    const char *const nul[] = {A " refs/heads/a|\n", B " refs/heads/b|x\n", "", NULL};
    const char *const lengths[] = {A " refs/heads/a|\n", L " refs/heads/b\n", "", NULL};
    assert_int_equal(parse(a, nul, NULL, &x, &e), ERR_INVALID);
    assert_int_equal(parse(a, lengths, NULL, &x, &e), ERR_INVALID);
    const char *name = arena_printf(a, A " refs/%01100d|\n", 0);
    const char *const longer[] = {name, "", NULL};
    assert_int_equal(parse(a, longer, NULL, &x, &e), ERR_LIMIT);
}

/* Each prefix of a good advertisement is refused, and none is read behind its end. */
static void survives_every_cut(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf bytes = BUF_INIT(1 << 20);
    const char *const lines[] = {"# service=x\n",   "", A " refs/heads/b|atomic\n",
                                 B " refs/heads/c", "", NULL};

    write_lines(&bytes, lines);
    for (size_t n = 0; n < bytes.len; n++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct err e = ERR_INIT;
        struct advert x;
        char *exact = mem_alloc(n);
        memcpy(exact, bytes.data, n);
        assert_int_equal(advert_parse(a, exact, n, "x", &x, &e), ERR_INVALID);
        free(exact);
    }
}

static void refuses_bad_lengths(void **state)
{
    (void)state;
    static const char *const ROWS[] = {"zzzz", "0001", "0003", "fff5",
                                       "ffff", "-001", "00 5", "0x10"};

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct err e = ERR_INIT;
        struct advert x;
        assert_int_equal(advert_parse(a, ROWS[i], strlen(ROWS[i]), NULL, &x, &e), ERR_INVALID);
    }
}

/* ---- Report ---------------------------------------------------------------------------------- */

static void add_band(struct buf *out, char band, const void *bytes, size_t n)
{
    CLEANUP(buf_release) struct buf line = BUF_INIT(70000);
    struct err e = ERR_INIT;
    assert_int_equal(buf_add(&line, &band, 1, &e), ERR_OK);
    assert_int_equal(buf_add(&line, bytes, n, &e), ERR_OK);
    assert_int_equal(pkt_add(out, line.data, line.len, &e), ERR_OK);
}

static void reads_a_report(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(buf_release) struct buf inner = BUF_INIT(10000);
    CLEANUP(buf_release) struct buf outer = BUF_INIT(10000);
    struct err e = ERR_INIT;
    struct report r;
    const char *const lines[] = {"unpack ok\n",
                                 "ok refs/heads/b\n",
                                 "option refname x\n",
                                 "ng refs/heads/a hook declined\n",
                                 "ng refs/heads/c",
                                 "",
                                 NULL};

    write_lines(&inner, lines);
    report_parse(a, inner.data, inner.len, false, &r);
    assert_null(r.trouble);
    assert_int_equal(r.n, 3);
    /* The same in pieces of 7 bytes between the server's words. */
    for (size_t i = 0; i < inner.len; i += 7) {
        add_band(&outer, 1, inner.data + i, inner.len - i < 7 ? inner.len - i : 7);
        if (i == 0)
            add_band(&outer, 2, "Counting 1%\rCounting 2%\rdone\nremo", 33);
        if (i == 14)
            add_band(&outer, 2, "ved\x1b[31m\n", 9);
    }
    assert_int_equal(pkt_add_flush(&outer, &e), ERR_OK);
    report_parse(a, outer.data, outer.len, true, &r);
    assert_null(r.trouble);
    assert_string_equal(r.unpack, "ok");
    assert_int_equal(r.n, 3);
    assert_null(report_find(&r, "refs/heads/b")->reason);
    assert_string_equal(report_find(&r, "refs/heads/a")->reason, "hook declined");
    assert_string_equal(report_find(&r, "refs/heads/c")->reason, "no reason given");
    assert_null(report_find(&r, "refs/heads/d"));
    assert_string_equal(r.remote, "done\nremoved?[31m");
    /* And cut anywhere. */
    for (size_t n = 0; n < outer.len; n++) {
        char *exact = mem_alloc(n);
        memcpy(exact, outer.data, n);
        report_parse(a, exact, n, true, &r);
        assert_true(r.trouble != NULL || n == 0);
        free(exact);
    }
}

static void reads_what_is_left_of_a_report(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(buf_release) struct buf outer = BUF_INIT(10000);
    struct report r;

    report_parse(a, "", 0, true, &r);
    assert_null(r.unpack);
    add_band(&outer, 3, "fatal: out of luck", 18);
    report_parse(a, outer.data, outer.len, true, &r);
    assert_null(r.unpack);
    assert_string_equal(r.remote, "fatal: out of luck");
    assert_non_null(r.trouble);
    report_parse(a, "<html>nope</html>", 17, true, &r);
    assert_non_null(r.trouble);
    buf_clear(&outer);
    add_band(&outer, 9, "?", 1);
    report_parse(a, outer.data, outer.len, true, &r);
    assert_non_null(r.trouble);
    buf_clear(&outer);
    const char *const wild[] = {"ok refs/heads/a\n", "", NULL}; /* no unpack line before */
    write_lines(&outer, wild);
    report_parse(a, outer.data, outer.len, false, &r);
    assert_int_equal(r.n, 0);
    assert_non_null(r.trouble);
}

/* ---- Words ----------------------------------------------------------------------------------- */

static void cleans_text(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    static const struct {
        const char *from, *to;
    } ROWS[] = {
        {"plain\n", "plain"},
        {"a\tb", "a b"},
        {"\x07"
         "bell\x1b]0;x\x07",
         "?bell?]0;x?"},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {"bad \xff\xc3", "bad ??"},
        {"c1 \xc2\x9b", "c1 ??"},
        {"long \xc0\xaf", "long ??"},
        {"1%\r2%\r3%\nx", "3%\nx"},
        {"dos\r\nend", "dos\nend"},
        {"", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++)
        assert_string_equal(text_clean(a, ROWS[i].from, strlen(ROWS[i].from)), ROWS[i].to);
    assert_string_equal(text_one_line(a, "remote: a\n\n  remote:b \n c"), "a; remote:b; c");
    assert_string_equal(
        text_find_moved(a, "remote: This repository moved. Please use the new location:\n"
                           "remote:   https://github.com/o/new.git\n"),
        "https://github.com/o/new.git");
    assert_null(text_find_moved(a, "nothing of the kind: x"));
    assert_null(text_find_moved(a, "repository moved:"));
}

static void knows_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *code;
        enum git_result result;
    } ROWS[] = {
        {"refusing to allow a Personal Access Token to create or update workflow "
         "`.github/workflows/x.yml` without `workflow` scope",
         "workflow-scope", GIT_REJECTED},
        {"refusing to allow an OAuth App to create or update workflow `x` without `workflow` scope",
         "workflow-scope", GIT_REJECTED},
        {"refusing to allow a GitHub App to create or update workflow `x` without `workflows` "
         "permission",
         "workflow-scope", GIT_REJECTED},
        {"deny updating a hidden ref", "hidden-ref", GIT_REJECTED},
        {"refusing to delete the current branch: refs/heads/main", "current-branch", GIT_REJECTED},
        {"protected branch hook declined", "protected", GIT_REJECTED},
        {"push declined due to repository rule violations", "ruleset", GIT_REJECTED},
        {"error: GH013: Repository rule violations found for refs/heads/x.\n- GITHUB PUSH "
         "PROTECTION",
         "push-protection", GIT_REJECTED},
        {"error: GH001: Large files detected.", "large-file", GIT_REJECTED},
        {"GH008: Your push referenced at least 1 unknown Git LFS objects", "lfs-missing",
         GIT_REJECTED},
        {"error: GH007: Your push would publish a private email address.", "private-email",
         GIT_REJECTED},
        {"This repository was archived so it is read-only.", "archived", GIT_REJECTED},
        {"maximum ref updates exceeded: 9 commands sent but max allowed is 5", "too-many-refs",
         GIT_FAILED},
        {"fatal error in commit_refs", "transient", GIT_FAILED},
        {"failure", "transient", GIT_FAILED},
        {"Internal Server Error", "transient", GIT_FAILED},
        {"failed to update ref", "moved", GIT_STALE},
        {"cannot lock ref 'refs/heads/x': is at aa but expected bb", "moved", GIT_STALE},
        {"cannot lock ref 'a/b': 'a' exists; cannot create 'a/b'", "ref-conflict", GIT_REJECTED},
        {"reference already exists", "moved", GIT_STALE},
        {"branch is currently checked out", "checked-out", GIT_REJECTED},
        {"atomic push failure", "atomic", GIT_FAILED},
        {"pre-receive hook declined", "hook", GIT_REJECTED},
        {"remote: This request was rate-limited due to too many requests.", "rate-limited",
         GIT_FAILED},
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        const struct git_refusal *r = git_refusal_find(ROWS[i].text);
        if (r == NULL)
            fail_msg("nothing for '%s'", ROWS[i].text);
        assert_string_equal(r->code, ROWS[i].code);
        assert_int_equal(r->result, ROWS[i].result);
        assert_true(r->meaning[0] != '\0' && r->cure[0] != '\0');
    }
    assert_null(git_refusal_find("never heard"));
    assert_null(git_refusal_find("some failure"));
    assert_null(git_refusal_find(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_an_advertisement),
        cmocka_unit_test(reads_smart_http),
        cmocka_unit_test(reads_empty_repositories),
        cmocka_unit_test(sorts_what_is_not),
        cmocka_unit_test(refuses_bad_advertisements),
        cmocka_unit_test(survives_every_cut),
        cmocka_unit_test(refuses_bad_lengths),
        cmocka_unit_test(reads_a_report),
        cmocka_unit_test(reads_what_is_left_of_a_report),
        cmocka_unit_test(cleans_text),
        cmocka_unit_test(knows_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
