#include "fixture.h"

/* ---- The grammar, one row a rule ---------------------------------------------------------------
 */

static const struct {
    const char *text;
    const char *value; /* of A; NULL: absent */
} VALUES[] = {
    {"A=x\n",                         "x"                   },
    {"A=x",                           "x"                   },
    {"A=",                            ""                    },
    {"A=\n",                          ""                    },
    {"A=\"\"\n",                      ""                    },
    {"A=''\n",                        ""                    },
    {"export A=x\n",                  "x"                   },
    {"export\tA=x\n",                 "x"                   },
    {"  A=x\n",                       "x"                   },
    {"\xef\xbb\xbf"
     "A=x\n",                    "x"                   },
    {"\n\n# note\n  # note\nA=x\n",   "x"                   },
    {"A=x y z\n",                     "x y z"               },
    {"A=x   \n",                      "x"                   },
    {"A=  x\n",                       "x"                   },
    {"A=x # note\n",                  "x"                   },
    {"A=x#y\n",                       "x#y"                 },
    {"A=#x\n",                        "#x"                  },
    {"A= # note\n",                   ""                    },
    {"A=x\t# note\n",                 "x"                   },
    {"A=a=b==\n",                     "a=b=="               },
    {"A=it's\n",                      "it's"                },
    {"A=a\"b\"\n",                    "a\"b\""              },
    {"A=a\\nb\n",                     "a\\nb"               },
    {"A=$HOME ${B}\n",                "$HOME ${B}"          },
    {"A='x'\n",                       "x"                   },
    {"A= 'x' \n",                     "x"                   },
    {"A='x' # note\n",                "x"                   },
    {"A='a # b'\n",                   "a # b"               },
    {"A='a\\n\"b'\n",                 "a\\n\"b"             },
    {"A=' x '\n",                     " x "                 },
    {"A='one\ntwo\n'\nB=y\n",         "one\ntwo\n"          },
    {"A=\"x\"\n",                     "x"                   },
    {"A=\"a\\nb\\tc\\\"d\\\\e\\$f\"", "a\nb\tc\"d\\e$f"     },
    {"A=\"a\\qb\"\n",                 "a\\qb"               },
    {"A=\"it's # all\"\n",            "it's # all"          },
    {"A=\"one\ntwo\"\n",              "one\ntwo"            },
    {"A=\"end\\\\\"\nB=y\n",          "end\\"               },
    {"A=x\r\nB=y\r\n",                "x"                   },
    {"A='x'\r\nB=y\r\n",              "x"                   },
    {"A=x\nA=y\n",                    "y"                   },
    {"A='x'\nB=1\nexport A=\"y\"\n",  "y"                   },
    {"A=x\nA=\n",                     ""                    },
    {"exportA=x\n",                   NULL                  },
    {"export=x\n",                    NULL                  },
    {"a=x\n",                         NULL                  },
    {"",                              NULL                  },
    {"\n",                            NULL                  },
    {"# A=x",                         NULL                  },
    {"A=\xc3\xa9\xe2\x82\xac\n",      "\xc3\xa9\xe2\x82\xac"},
};

static void reads_values(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(VALUES); i++) {
        struct err e = ERR_INIT;
        struct env_file *file = NULL;
        const char *path = fixture_text(f, ".env", VALUES[i].text);
        if (env_file_load(path, &file, &e) != ERR_OK)
            fail_msg("row %zu: %s", i, e.text);
        const struct secret *s = env_file_get(file, "A");
        if (VALUES[i].value == NULL)
            assert_null(s);
        else
            assert_secret(s, VALUES[i].value);
        env_file_free(file);
    }
}

static const struct {
    const char *text;
    int line;
    const char *word;
} ERRORS[] = {
    {CANARY "\n",                  1, "expected NAME=value"},
    {"A=x\n" CANARY "\n",          2, "expected NAME=value"},
    {"A =" CANARY "\n",            1, "expected NAME=value"},
    {"=" CANARY "\n",              1, "expected NAME=value"},
    {"1A=" CANARY "\n",            1, "expected NAME=value"},
    {"A-B=" CANARY "\n",           1, "expected NAME=value"},
    {"A.B=" CANARY "\n",           1, "expected NAME=value"},
    {"export\n",                   1, "expected NAME=value"},
    {"export A\n",                 1, "expected NAME=value"},
    {"\n\nA='" CANARY "\nB=y\n",   3, "never closed"       },
    {"A=\"" CANARY "\\\"",         1, "never closed"       },
    {"A=\"" CANARY "\\",           1, "never closed"       },
    {"A='x'" CANARY "\n",          1, "closing quote"      },
    {"A='x' " CANARY "\n",         1, "closing quote"      },
    {"A='x'# " CANARY "\n",        1, "closing quote"      },
    {"A='1\n2\n3'y\n",             3, "closing quote"      },
    {"A='1\n2\n3'\n" CANARY "\n",  4, "expected NAME=value"},
    {"A=\"1\\\n2\"\n" CANARY "\n", 3, "expected NAME=value"},
};

static void refuses_what_is_no_line(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(ERRORS); i++) {
        struct err e = ERR_INIT;
        struct env_file *file = NULL;
        const char *path = fixture_text(f, ".env", ERRORS[i].text);
        assert_int_equal(env_file_load(path, &file, &e), ERR_INVALID);
        assert_null(file);
        assert_error(&e, ERR_INVALID, arena_printf(f->arena, "%s:%d: ", path, ERRORS[i].line));
        assert_error(&e, ERR_INVALID, ERRORS[i].word);
    }
}

static void refuses_nul(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct env_file *file = NULL;
    const char *path = fixture_file(f, ".env", "A=x\nB=y\0z\n", 10, 0600);

    assert_int_equal(env_file_load(path, &file, &e), ERR_INVALID);
    assert_error(&e, ERR_INVALID, ".env:2: a NUL byte");
}

static void lists_names(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct env_file *file = NULL;
    const char *path = fixture_text(f, ".env", "ZED=1\n\nB='x\ny'\nA=1\nB=2\n_C=3\n");

    assert_int_equal(env_file_load(path, &file, &e), ERR_OK);
    assert_int_equal(env_file_count(file), 4);
    assert_string_equal(env_file_name(file, 0), "A");
    assert_int_equal(env_file_line(file, 0), 5);
    assert_string_equal(env_file_name(file, 1), "B");
    assert_int_equal(env_file_line(file, 1), 6);
    assert_string_equal(env_file_name(file, 2), "ZED");
    assert_int_equal(env_file_line(file, 2), 1);
    assert_string_equal(env_file_name(file, 3), "_C");
    assert_int_equal(env_file_line(file, 3), 7);
    assert_secret(env_file_get(file, "B"), "2");
    assert_secret(env_file_get(file, "ZED"), "1");
    assert_null(env_file_get(file, "C"));
    env_file_free(file);
    env_file_free(NULL);
}

static void holds_the_limits(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct env_file *file = NULL;
    size_t n = (size_t)LIMIT_ENV_FILE_BYTES + 1;
    char *text = mem_alloc(n);
    memset(text, 'x', n);
    memcpy(text, "LONG=", 5);

    const char *path = fixture_file(f, ".env", text, LIMIT_SECRET_BYTES + 5, 0600);
    assert_int_equal(env_file_load(path, &file, &e), ERR_OK);
    assert_int_equal(secret_len(env_file_get(file, "LONG")), LIMIT_SECRET_BYTES);
    env_file_free(file);

    path = fixture_file(f, ".env", text, LIMIT_SECRET_BYTES + 6, 0600);
    assert_int_equal(env_file_load(path, &file, &e), ERR_LIMIT);
    assert_error(&e, ERR_LIMIT, ".env:1: the value of 'LONG'");

    path = fixture_file(f, ".env", text, n, 0600);
    assert_int_equal(env_file_load(path, &file, &e), ERR_LIMIT);
    assert_error(&e, ERR_LIMIT, path);
    free(text);
}

/* 100,000 short lines fit into the file: neither time nor the number of mappings may run away. */
static void takes_many_lines(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct env_file *file = NULL;
    CLEANUP(buf_release) struct buf text = BUF_INIT(LIMIT_ENV_FILE_BYTES);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(buf_addf(&text, &e, "N%d=%d\n", i % 50000, i % 7), ERR_OK);
    const char *path = fixture_file(f, ".env", text.data, text.len, 0600);

    assert_int_equal(env_file_load(path, &file, &e), ERR_OK);
    assert_int_equal(env_file_count(file), 50000);
    assert_secret(env_file_get(file, "N49999"), "4"); /* 99999 % 7 */
    env_file_free(file);
}

static void wants_a_private_file(void **state)
{
    static const unsigned BAD[] = {0644, 0640, 0604, 0620, 0601};
    struct fixture *f = *state;
    struct env_file *file = NULL;

    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct err e = ERR_INIT;
        const char *path = fixture_file(f, ".env", "A=" CANARY, 14, BAD[i]);
        assert_int_equal(env_file_load(path, &file, &e), ERR_REFUSED);
        assert_error(&e, ERR_REFUSED, "chmod 600");
    }
    struct err e = ERR_INIT;
    const char *path = fixture_file(f, ".env", "A=1", 3, 0400);
    assert_int_equal(env_file_load(path, &file, &e), ERR_OK);
    env_file_free(file);
}

static void says_what_is_not_a_file(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct env_file *file = NULL;

    assert_int_equal(env_file_load(path_join(f->arena, f->dir, "none"), &file, &e), ERR_NOT_FOUND);
    assert_error(&e, ERR_NOT_FOUND, "none");
    assert_int_equal(env_file_load(f->dir, &file, &e), ERR_IO);
    assert_error(&e, ERR_IO, "not a regular file");
    const char *fifo = path_join(f->arena, f->dir, "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(env_file_load(fifo, &file, &e), ERR_IO); /* and does not wait */
    assert_error(&e, ERR_IO, "not a regular file");
}

/* Whatever stands in the file, the parser stays within it (the sanitizers and guard pages watch).
 */
static void survives_noise(void **state)
{
    static const char BYTES[] = "A=B'\"\\\n # \r\t$xport1_";
    struct fixture *f = *state;
    const char *path = path_join(f->arena, f->dir, "noise");
    unsigned long long x = 20240607;

    print_message("seed %llu\n", x);
    for (int round = 0; round < 2000; round++) {
        char text[48];
        struct err e = ERR_INIT;
        struct env_file *file = NULL;
        size_t n = (size_t)(x >> 33) % sizeof(text);
        for (size_t i = 0; i < n; i++) {
            x = x * 6364136223846793005ULL + 1442695040888963407ULL;
            text[i] = BYTES[(x >> 33) % (sizeof(BYTES) - 1)];
        }
        x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        CLEANUP(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_int_equal(write(fd, text, n), (ssize_t)n);
        enum err_code r = env_file_load(path, &file, &e);
        assert_true(r == ERR_OK || r == ERR_INVALID);
        for (size_t i = 0; r == ERR_OK && i < env_file_count(file); i++) {
            const struct secret *s = env_file_get(file, env_file_name(file, i));
            assert_true(secret_len(s) < n);
        }
        env_file_free(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_values),         cmocka_unit_test(refuses_what_is_no_line),
        cmocka_unit_test(refuses_nul),          cmocka_unit_test(lists_names),
        cmocka_unit_test(holds_the_limits),     cmocka_unit_test(takes_many_lines),
        cmocka_unit_test(wants_a_private_file), cmocka_unit_test(says_what_is_not_a_file),
        cmocka_unit_test(survives_noise),
    };
    return cmocka_run_group_tests_name("secrets env_file", tests, fixture_setup, fixture_teardown);
}
