/* Golden texts: a change here is a change of what people see, and should be meant. */
#include "fixture.h"

#include <string.h>

#define ADD(p, ...) (*slave_plan_add(p) = (struct action){__VA_ARGS__})

/* The text of a plan; the caller frees it with the arena. */
static const char *rendered(struct arena *a, const struct plan *p, struct render_options opt)
{
    CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    assert_int_equal(plan_render(p, &opt, &out, &e), ERR_OK);
    return arena_strdup(a, buf_str(&out));
}

static void assert_text(const char *got, const char *wanted)
{
    if (!str_eq(got, wanted))
        fail_msg("got:\n%s\nwanted:\n%s", got, wanted);
}

static void story(struct slave_plan *s, struct arena *a)
{
    slave_plan_init(&s[0], "github-backup", a);
    ADD(&s[0], .phase = PHASE_QUIET, .act = ACT_UPDATE, .kind = KIND_WORKFLOW, .name = "cron.yml",
        .from = "on", .to = "off", .reason = "must not run in role SLAVE");
    ADD(&s[0], .phase = PHASE_CODE, .act = ACT_UPDATE, .kind = KIND_REF, .name = MAIN,
        .from = OID_A, .to = OID_B, .detail = "12 commits, \"Fix the tick\"",
        .reason = "the master moved on");
    ADD(&s[0], .phase = PHASE_CODE, .act = ACT_CREATE, .kind = KIND_REF, .name = "refs/tags/v1.2",
        .to = OID_B, .reason = "not there yet");
    ADD(&s[0], .phase = PHASE_CODE, .act = ACT_UPDATE, .kind = KIND_REF, .name = "refs/heads/dev",
        .from = OID_A, .to = OID_B, .forced = true, .detail = "1 commit",
        .reason = "the master moved it back; nothing is lost");
    ADD(&s[0], .phase = PHASE_DEFAULT_BRANCH, .act = ACT_UPDATE, .kind = KIND_DEFAULT_BRANCH,
        .name = "default-branch", .from = "master", .to = "main",
        .reason = "not the master's default branch");
    ADD(&s[0], .phase = PHASE_SECRETS, .act = ACT_CREATE, .kind = KIND_SECRET, .name = "API_KEY",
        .to = "fingerprint", .reason = "not there yet");
    ADD(&s[0], .phase = PHASE_VARIABLES, .act = ACT_UPDATE, .kind = KIND_VARIABLE,
        .name = "MASTER_REPO", .from = "a/b", .to = "c/d", .reason = "changed here");
    ADD(&s[0], .phase = PHASE_ROLE, .act = ACT_CREATE, .kind = KIND_ROLE, .name = "role",
        .to = "SLAVE", .reason = "not there yet");
    ADD(&s[0], .phase = PHASE_DELETE, .act = ACT_DELETE, .kind = KIND_REF, .name = "refs/heads/old",
        .from = OID_C, .reason = "the master no longer has it");
    ADD(&s[0], .phase = PHASE_LEDGER, .act = ACT_ADOPT, .kind = KIND_REF, .name = "refs/heads/x",
        .from = OID_C, .to = OID_C, .reason = "equal already, from now on kept by mirrorctl");
    slave_plan_condition(
        &s[0], (struct condition){.level = COND_BLOCKED,
                                  .err = ERR_REFUSED,
                                  .text = "refs/heads/wip: the slave has commits that the master "
                                          "does not know (slave 1a2b3c4d, master 5d6e7f8a)",
                                  .cure = "bring them to the master, or set refs.on_divergence: "
                                          "rescue or overwrite"});
    slave_plan_init(&s[1], "eu", a);
    slave_plan_init(&s[2], "archive", a);
}

/* clang-format off */
static const char GOLD_100[] =
    "github-backup\n"
    "  ~ workflow        cron.yml         on → off                    must not run in role SLAVE\n"
    "  ~ ref             refs/heads/main  12 commits, \"Fix the tick\"  the master moved on\n"
    "  + ref             refs/tags/v1.2   bbbbbbbb                    not there yet\n"
    "  ! ref             refs/heads/dev   aaaaaaaa → bbbbbbbb\n"
    "                    the master moved it back; nothing is lost\n"
    "  ~ default-branch  master → main                                not the master's default branch\n"
    "  + secret          API_KEY                                      not there yet\n"
    "  ~ variable        MASTER_REPO      \"a/b\" → \"c/d\"               changed here\n"
    "  + role            SLAVE                                        not there yet\n"
    "  - ref             refs/heads/old   was cccccccc                the master no longer has it\n"
    "  ! blocked         refs/heads/wip: the slave has commits that the master does not know (slave\n"
    "                    1a2b3c4d, master 5d6e7f8a)\n"
    "                    → bring them to the master, or set refs.on_divergence: rescue or overwrite\n"
    "\n"
    "3 to create, 5 to update, 1 to delete; 2 slaves in sync\n";

static const char GOLD_60[] =
    "github-backup\n"
    "  ~ workflow        cron.yml         on → off\n"
    "                    must not run in role SLAVE\n"
    "  ~ ref             refs/heads/main  12 commits, \"Fix the ti…\n"
    "                    the master moved on\n"
    "  + ref             refs/tags/v1.2   bbbbbbbb\n"
    "                    not there yet\n"
    "  ! ref             refs/heads/dev   aaaaaaaa → bbbbbbbb\n"
    "                    the master moved it back; nothing is\n"
    "                    lost\n"
    "  ~ default-branch  master → main\n"
    "                    not the master's default branch\n"
    "  + secret          API_KEY\n"
    "                    not there yet\n"
    "  ~ variable        MASTER_REPO      \"a/b\" → \"c/d\"\n"
    "                    changed here\n"
    "  + role            SLAVE\n"
    "                    not there yet\n"
    "  - ref             refs/heads/old   was cccccccc\n"
    "                    the master no longer has it\n"
    "  = ref             refs/heads/x     cccccccc\n"
    "                    equal already, from now on kept by\n"
    "                    mirrorctl\n"
    "  ! blocked         refs/heads/wip: the slave has commits\n"
    "                    that the master does not know (slave\n"
    "                    1a2b3c4d, master 5d6e7f8a)\n"
    "                    → bring them to the master, or set\n"
    "                      refs.on_divergence: rescue or\n"
    "                      overwrite\n"
    "\n"
    "eu  in sync\n"
    "\n"
    "archive  in sync\n"
    "\n"
    "3 to create, 5 to update, 1 to delete; 2 slaves in sync\n";

static const char GOLD_NO_WIDTH[] =
    "github-backup\n"
    "  ~ workflow        cron.yml         on → off                    must not run in role SLAVE\n"
    "  ~ ref             refs/heads/main  12 commits, \"Fix the tick\"  the master moved on\n"
    "  + ref             refs/tags/v1.2   bbbbbbbb                    not there yet\n"
    "  ! ref             refs/heads/dev   aaaaaaaa → bbbbbbbb         the master moved it back; nothing is lost\n"
    "  ~ default-branch  master → main                                not the master's default branch\n"
    "  + secret          API_KEY                                      not there yet\n"
    "  ~ variable        MASTER_REPO      \"a/b\" → \"c/d\"               changed here\n"
    "  + role            SLAVE                                        not there yet\n"
    "  - ref             refs/heads/old   was cccccccc                the master no longer has it\n"
    "  ! blocked         refs/heads/wip: the slave has commits that the master does not know (slave 1a2b3c4d, master 5d6e7f8a)\n"
    "                    → bring them to the master, or set refs.on_divergence: rescue or overwrite\n"
    "\n"
    "3 created, 5 updated, 1 deleted; 2 slaves in sync\n";
/* clang-format on */

/* Wide enough, narrow, without an end, in colour, everything, done. */
static void a_plan_reads_like_a_table(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct slave_plan s[3];
    story(s, a);
    const struct plan p = {.slaves = s, .n = 3};
    assert_text(rendered(a, &p, (struct render_options){.width = 100}), GOLD_100);
    assert_text(rendered(a, &p, (struct render_options){.width = 60, .verbose = true}), GOLD_60);
    assert_text(rendered(a, &p, (struct render_options){.applied = true}), GOLD_NO_WIDTH);
}

/* ---- Long lists ---------------------------------------------------------------------------- */

static void many_refs(struct slave_plan *s, struct arena *a, int n)
{
    slave_plan_init(s, "eu", a);
    for (int i = 0; i < n; i++) {
        const char *name = arena_printf(a, "refs/tags/v%03d", i);
        ADD(s, .phase = PHASE_CODE, .act = ACT_CREATE, .kind = KIND_REF, .name = name, .to = OID_A,
            .reason = "not there yet");
        if (i % 100 == 0)
            ADD(s, .phase = PHASE_CODE, .act = ACT_UPDATE, .kind = KIND_REF, .name = name,
                .from = OID_A, .to = OID_B, .forced = true, .reason = "the tag points elsewhere");
    }
}

static size_t lines(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

static void long_rows_of_refs_become_one_line(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct slave_plan s;
    const struct plan p = {.slaves = &s, .n = 1};

    many_refs(&s, a, 320);
    const char *text = rendered(a, &p, (struct render_options){.width = 100});
    assert_int_equal(lines(text), 1 + 10 + 1 + 4 + 2); /* what is forced is always shown */
    assert_non_null(strstr(text, "  + ref  … and 310 more\n"));
    assert_non_null(strstr(text, "refs/tags/v300"));
    assert_non_null(strstr(text, "320 to create, 4 to update, 0 to delete\n"));
    text = rendered(a, &p, (struct render_options){.width = 100, .verbose = true});
    assert_int_equal(lines(text), 1 + 324 + 2);

    many_refs(&s, a, 20);
    text = rendered(a, &p, (struct render_options){.width = 100});
    assert_null(strstr(text, "more"));
}

/* ---- What must not reach a terminal -------------------------------------------------------- */

static void nothing_foreign_reaches_the_terminal_raw(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct slave_plan s;
    const struct plan p = {.slaves = &s, .n = 1};
    char longer[101];
    memset(longer, 'x', 100);
    longer[100] = '\0';

    slave_plan_init(&s, "eu", a);
    ADD(&s, .act = ACT_UPDATE, .kind = KIND_VARIABLE, .name = "V", .from = "a\033[31m\n\"q\"",
        .to = longer, .reason = "changed here");
    ADD(&s, .act = ACT_CREATE, .kind = KIND_REF, .name = "refs/heads/\xff\xe2\x80\xae", .to = OID_A,
        .detail = "1 commit, \"\a\"", .reason = "not there yet");
    slave_plan_condition(&s, (struct condition){.level = COND_ERROR, .text = "said \033]0;x\a"});
    const char *text = rendered(a, &p, (struct render_options){.verbose = true});
    assert_non_null(strstr(text, "\"a\\e[31m\\n\\\"q\\\"\" → \"xxxxx"));
    assert_non_null(strstr(text, "refs/heads/\\xff\\u202e"));
    assert_non_null(strstr(text, "said \\e]0;x\\x07"));
    for (const char *c = text; *c != '\0'; c++)
        assert_true((unsigned char)*c >= 0x20 || *c == '\n');
    longer[60] = '\0'; /* sixty of them, and no more */
    assert_non_null(strstr(text, arena_printf(a, "\"%s…\"", longer)));
}

/* What a plan holds of a secret is its fingerprint: not shown, not even that. */
static void secrets_show_their_names_only(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (enum act act = 0; act < ACT_COUNT; act++) {
        struct slave_plan s;
        const struct plan p = {.slaves = &s, .n = 1};
        slave_plan_init(&s, "eu", a);
        ADD(&s, .act = act, .kind = KIND_SECRET, .name = "S", .from = "f0f0", .to = "f1f1",
            .stamp = "f2f2", .reason = "why");
        const char *text = rendered(a, &p, (struct render_options){.verbose = true});
        assert_non_null(strstr(text, "secret  S  why"));
        assert_null(strstr(text, "f0f0"));
        assert_null(strstr(text, "f1f1"));
        assert_null(strstr(text, "f2f2"));
    }
}

/* ---- Parts --------------------------------------------------------------------------------- */

static void colour_never_carries_a_meaning_of_its_own(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct slave_plan s[3];
    story(s, a);
    const struct plan p = {.slaves = s, .n = 3};
    const char *plain = rendered(a, &p, (struct render_options){.width = 100});
    const char *painted = rendered(a, &p, (struct render_options){.width = 100, .color = true});
    char *stripped = arena_alloc(a, strlen(painted) + 1), *out = stripped;

    assert_non_null(strstr(painted, "\033[32m+\033[0m secret"));
    for (const char *c = painted; *c != '\0'; c++) {
        if (*c == '\033')
            c = strchr(c, 'm');
        else
            *out++ = *c;
    }
    assert_text(stripped, plain);
}

static void the_closing_line_counts_what_is_true(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct slave_plan s[4];
    const struct plan p = {.slaves = s, .n = 4};
    for (size_t i = 0; i < 4; i++)
        slave_plan_init(&s[i], &"abcd"[i], a);

    assert_text(rendered(a, &p, (struct render_options){.color = false}),
                "nothing to do; 4 slaves in sync\n");
    assert_text(rendered(a, &p, (struct render_options){.applied = true}),
                "0 created, 0 updated, 0 deleted; 4 slaves in sync\n");
    s[0].refused = ERR_FENCED;
    slave_plan_condition(&s[1], (struct condition){.level = COND_ERROR, .text = "no"});
    assert_text(rendered(a, &p, (struct render_options){.color = false}),
                "abcd  fenced, nothing will be done\n\n"
                "bcd\n  ! error  no\n\n"
                "nothing to do; 2 slaves in sync, 1 slave refused, 1 slave blocked\n");
}

static void a_slave_can_be_shown_alone(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 16);
    struct err e = ERR_INIT;
    struct slave_plan s[3];
    story(s, a);
    const struct render_options opt = {.width = 200};
    for (size_t i = 0; i < 3; i++) {
        struct slave_plan told = s[i];
        told.n = 0; /* what apply shows at its end: conditions without the actions that were done */
        buf_clear(&out);
        assert_int_equal(plan_render_slave(&told, &opt, &out, &e), ERR_OK);
        assert_null(strstr(buf_str(&out), "API_KEY"));
        assert_true(s[i].n_conditions == 0 || strstr(buf_str(&out), s[i].slave) != NULL);
        assert_null(strstr(buf_str(&out), " to create"));
    }
}

static void a_full_buffer_is_an_error(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct slave_plan s[3];
    story(s, a);
    const struct plan p = {.slaves = s, .n = 3};
    const struct render_options opt = {.width = 100};
    for (size_t max = 0; max < 800; max += 7) {
        CLEANUP(buf_release) struct buf out = BUF_INIT(max);
        struct err e = ERR_INIT;
        assert_int_equal(plan_render(&p, &opt, &out, &e), ERR_LIMIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_reads_like_a_table),
        cmocka_unit_test(long_rows_of_refs_become_one_line),
        cmocka_unit_test(nothing_foreign_reaches_the_terminal_raw),
        cmocka_unit_test(secrets_show_their_names_only),
        cmocka_unit_test(colour_never_carries_a_meaning_of_its_own),
        cmocka_unit_test(the_closing_line_counts_what_is_true),
        cmocka_unit_test(a_slave_can_be_shown_alone),
        cmocka_unit_test(a_full_buffer_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
