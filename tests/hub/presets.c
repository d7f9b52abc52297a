/* Faults by name: the test vectors of section 9. */
#include "internal.h"

#include <stdio.h>

#define SECONDARY                                                                                  \
    "{\"message\":\"You have exceeded a secondary rate limit. Please wait a few minutes before "   \
    "you try again.\","                                                                            \
    "\"documentation_url\":\"https://docs.github.com/free-pro-team@latest/rest/overview/"          \
    "rate-limits-for-the-rest-api#about-secondary-rate-limits\",\"status\":\"403\"}"
#define ERROR(text, status)                                                                        \
    "{\"message\":\"" text                                                                         \
    "\",\"documentation_url\":\"https://docs.github.com/rest\",\"status\":\"" status "\"}"
#define UNICORN                                                                                    \
    "<html><head><title>Unicorn! &middot; "                                                        \
    "GitHub</title></head><body><h1>Unicorn!</h1></body></html>"

enum { AT_TIME_NONE, AT_TIME_RETRY_DATE, AT_TIME_RESET };

struct preset {
    const char *name;
    int status;
    const char *body;
    struct hub_header headers[3];
    int time; /* a header whose value depends on the clock */
};

static const struct preset presets[] = {
    {"secondary-a", 403, SECONDARY, {{"retry-after", "60"}}, AT_TIME_NONE},
    {"secondary-b",
     403,
     SECONDARY,
     {{"x-ratelimit-limit", "5000"}, {"x-ratelimit-remaining", "4000"}},
     AT_TIME_NONE},
    {"secondary-c", 429, SECONDARY, {{NULL, NULL}}, AT_TIME_RETRY_DATE},
    {"secondary-d",
     429,
     ERROR("Too many requests.", "429"),
     {{"gh-limited-by", "search-elapsed-time-shared-grouped"}},
     AT_TIME_NONE},
    {"primary",
     403,
     ERROR("API rate limit exceeded for user ID 1.", "403"),
     {{"x-ratelimit-limit", "5000"},
      {"x-ratelimit-remaining", "0"},
      {"x-ratelimit-resource", "core"}},
     AT_TIME_RESET},
    {"dmca",
     451,
     "{\"message\":\"Repository access blocked\",\"block\":{\"reason\":\"dmca\",\"created_at\":"
     "\"2021-04-22T17:53:56Z\",\"html_url\":\"https://example.invalid/x\"}}",
     {{NULL, NULL}},
     AT_TIME_NONE},
    {"html-502", 502, UNICORN, {{"content-type", "text/html"}}, AT_TIME_NONE},
    {"html-503", 503, UNICORN, {{"content-type", "text/html"}}, AT_TIME_NONE},
    {"bad-credentials", 401, ERROR("Bad credentials", "401"), {{NULL, NULL}}, AT_TIME_NONE},
    {"locked-out",
     403,
     ERROR("Maximum number of login attempts exceeded. Please try again later.", "403"),
     {{NULL, NULL}},
     AT_TIME_NONE},
    {"sso",
     403,
     ERROR("Resource protected by organization SAML enforcement.", "403"),
     {{"x-github-sso", "required; url=https://example.invalid/orgs/x/sso"}},
     AT_TIME_NONE},
    {"not-accessible",
     403,
     ERROR("Resource not accessible by personal access token", "403"),
     {{NULL, NULL}},
     AT_TIME_NONE},
    {"server-error", 500, ERROR("Server Error", "500"), {{NULL, NULL}}, AT_TIME_NONE},
    {"git-429",
     429,
     "This request was rate-limited due to too many requests.",
     {{"content-type", "text/plain; charset=UTF-8"}},
     AT_TIME_NONE},
};

bool hub_fault_preset(struct hub *h, const char *name, const char *method, const char *path,
                      unsigned nth, unsigned count)
{
    const struct preset *p = NULL;
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++)
        if (name != NULL && strcmp(presets[i].name, name) == 0)
            p = &presets[i];
    if (p == NULL)
        return hb_fail("no fault '%s'", name != NULL ? name : "");
    struct hub_header headers[4];
    size_t n = 0;
    while (n < 3 && p->headers[n].name != NULL) {
        headers[n] = p->headers[n];
        n++;
    }
    int64_t soon = hub_clock(h) + 60 * 1000;
    char *value = p->time == AT_TIME_RETRY_DATE ? hb_time_http(soon)
                                                : hb_fmt("%lld", (long long)(soon / 1000));
    if (p->time != AT_TIME_NONE)
        headers[n++] = (struct hub_header){
            p->time == AT_TIME_RETRY_DATE ? "retry-after" : "x-ratelimit-reset", value};
    bool ok = hub_fault_add(h, &(struct hub_fault){.method = method,
                                                   .path = path,
                                                   .nth = nth,
                                                   .count = count,
                                                   .effect = HUB_F_STATUS,
                                                   .status = p->status,
                                                   .headers = headers,
                                                   .n_headers = n,
                                                   .body = p->body});
    free(value);
    return ok;
}
