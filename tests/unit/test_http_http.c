/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "fake_http.h"
#include "test.h"

#define ROOT "http://127.0.0.1:1/V2.0"

struct fixture {
    struct fake_clock clock;
    struct fake_http *http;
};

static void setup(struct fixture *f)
{
    fake_clock_init(&f->clock);
    f->http = fake_http_new(&f->clock, ROOT);
}

TEST(one_request_returns_its_own_result)
{
    struct fixture f;
    struct err err;
    struct http_request request = {.method = "GET", .url = ROOT "/x", .max_body = 100};
    struct http_response response AUTO_HTTP_RESPONSE = {.result = ERR_OK};

    setup(&f);
    fake_http_expect(
        f.http, &(struct fake_exchange){
                    .method = "GET", .url = "/x", .status = 404, .answer = "gone", .headers = "X-One: 1\nx-two: 2"});
    assert_int_equal(http_perform(fake_http_base(f.http), &request, &response, &err), ERR_OK);
    assert_int_equal(response.status, 404);
    assert_string_equal(buf_cstr(&response.body), "gone");
    assert_string_equal(http_response_header(&response, "x-one"), "1");
    assert_string_equal(http_response_header(&response, "X-TWO"), "2");
    assert_string_equal(http_response_header(&response, "date"), "Sat, 12 Feb 2011 20:59:04 GMT");
    assert_null(http_response_header(&response, "x-three"));
    fake_http_done(f.http);
}

TEST(a_failed_request_hands_its_error_over)
{
    struct fixture f;
    struct err err;
    struct http_request request = {.method = "GET", .url = ROOT "/x", .max_body = 100};
    struct http_response response AUTO_HTTP_RESPONSE = {.result = ERR_OK};

    setup(&f);
    fake_http_expect(f.http, &(struct fake_exchange){.method = "GET", .url = "/x", .fail = ERR_TLS});
    assert_int_equal(http_perform(fake_http_base(f.http), &request, &response, &err), ERR_TLS);
    assert_int_equal(err.code, ERR_TLS);
    assert_string_equal(err.msg, "scripted failure of \"GET " ROOT "/x\"");
    fake_http_done(f.http);
}

TEST(headers_of_a_request_are_lines_that_it_owns)
{
    struct http_request request = {.method = "GET"};
    char value[] = "v";

    http_request_add_header(&request, "Name", value);
    value[0] = 'w';
    assert_int_equal(request.headers.count, 1);
    assert_string_equal(request.headers.items[0], "Name: v");
    http_request_done(&request);
    assert_int_equal(request.headers.count, 0);
}

TEST(freeing_nothing_is_fine)
{
    struct http_response empty = {.result = ERR_OK};

    http_response_done(&empty);
    http_response_done(&empty);
    http_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_request_returns_its_own_result),
        cmocka_unit_test(a_failed_request_hands_its_error_over),
        cmocka_unit_test(headers_of_a_request_are_lines_that_it_owns),
        cmocka_unit_test(freeing_nothing_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
