/* SPDX-License-Identifier: MIT
 *
 * A DNS message as the answer about CAA at every level of a name, and who may issue by it; the value of a property.
 */
#include <string.h>

#include "dns/caa.h"
#include "dns/caa_value.h"
#include "dns/wire.h"
#include "fuzz.h"
#include "util/mem.h"
#include "util/text.h"

struct echo { /* answers each question with the same message */
    struct resolver base;
    const uint8_t *msg;
    size_t len;
    struct answer_queue queue;
};

static void echo_start(struct resolver *self, const struct dns_question *question)
{
    struct echo *echo = (struct echo *)self;
    struct dns_answer answer = {.result = ERR_OK};
    struct err err;

    if (dns_answer_parse(echo->msg, echo->len, &answer, &err) != ERR_OK) {
        answer.result = err.code;
        answer.err = err;
    }
    answer.tag = question->tag;
    answer_queue_put_take(&echo->queue, &answer);
}

static enum err_code echo_next(struct resolver *self, int64_t timeout_ms, struct dns_answer *out)
{
    (void)timeout_ms;
    return answer_queue_get(&((struct echo *)self)->queue, out) ? ERR_OK : ERR_NOT_FOUND;
}

static void check_verdicts(const struct caa_set *set)
{
    static const char *const issuers[] = {"letsencrypt.org"};
    struct caa_request request = {.issuers = issuers, .issuer_count = 1, .method = "dns-01"};
    char why[200];

    for (int wildcard = 0; wildcard < 2; wildcard++) {
        enum caa_verdict strict, unknown;

        request.kind = wildcard ? CAA_WILDCARD : CAA_NAME;
        request.account_uri = "https://acme.example/1";
        strict = caa_judge(set, &request, why, sizeof why);
        FUZZ_CHECK(strict != CAA_PERMITTED_IF_ACCOUNT);
        request.account_uri = NULL;
        unknown = caa_judge(set, &request, why, sizeof why);
        FUZZ_CHECK(!(strict == CAA_PERMITTED && unknown == CAA_FORBIDDEN));
        FUZZ_CHECK((set->count == 0) == (why[0] == '\0'));
        FUZZ_CHECK(text_is_utf8(why, strlen(why)));
        for (const char *p = why; *p; p++)
            FUZZ_CHECK((unsigned char)*p >= ' ' && *p != 0x7f);
    }
}

static void check_value(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = mem_strndup((const char *)data, strnlen((const char *)data, size));
    AUTO_CAA_VALUE struct caa_value value = {.issuer = NULL};

    if (!caa_value_parse(text, &value)) {
        FUZZ_CHECK(!value.issuer && !value.parameters);
        return;
    }
    FUZZ_CHECK(strspn(value.issuer, "abcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(value.issuer));
    for (size_t i = 0; i < value.parameter_count; i++) {
        FUZZ_CHECK(value.parameters[i].tag[0] != '\0');
        FUZZ_CHECK(!strpbrk(value.parameters[i].value, "; \t"));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct echo echo = {.base = {.start = echo_start, .next = echo_next}, .msg = data, .len = size};
    AUTO_CAA_SET struct caa_set set = {.owner = NULL};
    struct err err;
    enum err_code code = caa_find(&echo.base, "www.example.com", &set, &err);

    FUZZ_CHECK(code == ERR_OK || code == ERR_DNS);
    FUZZ_CHECK((set.owner == NULL) == (set.count == 0));
    if (code == ERR_OK)
        check_verdicts(&set);
    if (size)
        check_value(data, size);
    return 0;
}
