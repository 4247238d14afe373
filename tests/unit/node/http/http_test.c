/* A real socket, a real client: what is asked arrives, what is answered goes out, and neither a
 * slow answer nor a rude client harms the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/http/http.h"

struct served {
    uv_loop_t loop;
    struct http *http;
    struct sockaddr_un address;
    struct http_request *waiting;
    struct http_events *events;
    unsigned gone;
    unsigned requests;
    char seen[256];
};

static size_t on_head(void *arg, struct http_request *request)
{
    (void)arg;
    struct http_answer no = {.status = 403};
    if (strcmp(http_request_path(request), "/forbidden") == 0)
        http_response_answer(request, &no, bytes_of_text("no"));
    return http_request_method(request) == HTTP_POST ? 1000 : 0;
}

static bool on_piece(void *arg, uint32_t index, uint8_t *ret_piece)
{
    (void)arg;
    memset(ret_piece, 'a' + (int)index, 1000);
    return true;
}

static void on_gone(void *arg)
{
    ((struct served *)arg)->gone++;
}

static void on_request(void *arg, struct http_request *request)
{
    struct served *served = arg;
    struct http_answer yes = {.status = 200, .type = "text/plain", .file_name = "a b\"\r\n.txt"};
    served->requests++;
    if (strcmp(http_request_path(request), "/later") == 0) {
        served->waiting = request;
    } else if (strcmp(http_request_path(request), "/pieces") == 0) {
        struct http_source source = {.size = 2500, .piece_size = 1000, .read = on_piece};
        http_response_answer_source(request, &yes, &source);
    } else if (strcmp(http_request_path(request), "/events") == 0) {
        assert_int_equal(OK, http_events_begin(request, on_gone, served, &served->events));
        http_events_push(served->events, "record", "{\"n\": 1}");
    } else {
        const char *name = http_request_query(request, "name");
        struct bytes body = http_request_body(request);
        snprintf(served->seen, sizeof served->seen, "%s %s %s %.*s uid=%d",
                 http_request_path(request),
                 http_request_part(request, 1) == NULL ? "-" : http_request_part(request, 1),
                 name == NULL ? "-" : name, (int)body.size, (const char *)body.data,
                 http_request_peer(request).is_known && http_request_peer(request).uid == getuid());
        http_response_answer(request, &yes, bytes_of_text("hello"));
    }
}

static int setup(void **state)
{
    struct served *served = calloc(1, sizeof *served);
    uv_loop_init(&served->loop);
    served->address.sun_family = AF_UNIX;
    snprintf(served->address.sun_path, sizeof served->address.sun_path, "/tmp/http_test.%d.sock",
             (int)getpid());
    unlink(served->address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(0, bind(fd, (struct sockaddr *)&served->address, sizeof served->address));
    assert_int_equal(0, listen(fd, 16));
    struct http_handlers handlers = {on_head, on_request, served};
    assert_int_equal(OK, http_new(&served->loop, fd, &handlers, &served->http));
    *state = served;
    return 0;
}

static int teardown(void **state)
{
    struct served *served = *state;
    http_free(served->http);
    uv_run(&served->loop, UV_RUN_DEFAULT);
    assert_int_equal(0, uv_loop_close(&served->loop));
    unlink(served->address.sun_path);
    free(served);
    return 0;
}

static int dial(struct served *served)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(0, connect(fd, (struct sockaddr *)&served->address, sizeof served->address));
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(strlen(text), write(fd, text, strlen(text)));
}

/* Turns the loop until `wanted` was read, or the other side closed. */
static char *hear(struct served *served, int fd, const char *wanted)
{
    static char text[8192];
    size_t size = 0;
    text[0] = 0;
    for (int i = 0; i < 2000 && strstr(text, wanted) == NULL; i++) {
        uv_run(&served->loop, UV_RUN_NOWAIT);
        ssize_t more = recv(fd, text + size, sizeof text - 1 - size, MSG_DONTWAIT);
        if (more == 0)
            break;
        size += more > 0 ? (size_t)more : 0;
        text[size] = 0;
        usleep(500);
    }
    return text;
}

static void a_request_arrives_whole_and_is_answered(void **state)
{
    struct served *served = *state;
    int fd = dial(served);
    say(fd, "POST /v1/north?name=letter%20one.pdf HTTP/1.1\r\nHost: consilium\r\n"
            "Content-Length: 10\r\n\r\n{\"a\"");
    uv_run(&served->loop, UV_RUN_NOWAIT);
    say(fd, ": \"b\"}");
    char *answer = hear(served, fd, "hello");
    assert_non_null(strstr(answer, "HTTP/1.1 200 OK"));
    assert_non_null(strstr(answer, "Cache-Control: no-store"));
    assert_non_null(strstr(answer, "filename=\"a_b___.txt\""));
    assert_string_equal("/v1/north north letter one.pdf {\"a\": \"b\"} uid=1", served->seen);
    close(fd);
}

static void a_refusal_at_the_head_reads_no_body(void **state)
{
    struct served *served = *state;
    int fd = dial(served);
    say(fd, "POST /forbidden HTTP/1.1\r\nHost: consilium\r\nContent-Length: 100\r\n\r\n");
    assert_non_null(strstr(hear(served, fd, "\r\n\r\nno"), "403"));
    assert_int_equal(0, served->requests);
    close(fd);
}

static void a_body_over_its_limit_is_refused_before_it_comes(void **state)
{
    struct served *served = *state;
    int fd = dial(served);
    say(fd, "POST /a HTTP/1.1\r\nHost: consilium\r\nContent-Length: 1001\r\n\r\n");
    assert_non_null(strstr(hear(served, fd, "ERR_TOO_LARGE"), "413"));
    close(fd);
    fd = dial(served);
    say(fd, "POST /a HTTP/1.1\r\nHost: consilium\r\nContent-Length: 99999999999999999999\r\n\r\n");
    (void)hear(served, fd, "\r\n\r\n");
    close(fd);
    fd = dial(served);
    say(fd, "POST /a HTTP/1.1\r\nHost: consilium\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_non_null(strstr(hear(served, fd, "ERR_INVALID"), "411"));
    close(fd);
    assert_int_equal(0, served->requests);
}

static void an_answer_may_come_later(void **state)
{
    struct served *served = *state;
    int slow = dial(served), quick = dial(served);
    say(slow, "GET /later HTTP/1.1\r\nHost: consilium\r\n\r\n");
    say(quick, "GET /v1 HTTP/1.1\r\nHost: consilium\r\n\r\n");
    (void)hear(served, quick, "hello");
    for (int i = 0; i < 100 && served->waiting == NULL; i++)
        uv_run(&served->loop, UV_RUN_NOWAIT);
    assert_non_null(served->waiting);
    struct http_answer yes = {.status = 200, .type = "text/plain"};
    http_response_answer(served->waiting, &yes, bytes_of_text("at last"));
    assert_non_null(strstr(hear(served, slow, "at last"), "200 OK"));
    close(slow);
    close(quick);
}

static void an_answer_to_nobody_does_no_harm(void **state)
{
    struct served *served = *state;
    int fd = dial(served);
    say(fd, "GET /later HTTP/1.1\r\nHost: consilium\r\n\r\n");
    for (int i = 0; i < 100 && served->waiting == NULL; i++)
        uv_run(&served->loop, UV_RUN_NOWAIT);
    close(fd);
    struct http_answer yes = {.status = 200, .type = "text/plain"};
    http_response_answer(served->waiting, &yes, bytes_of_text("hello?"));
    for (int i = 0; i < 20; i++)
        uv_run(&served->loop, UV_RUN_NOWAIT);
}

static void a_long_answer_is_made_piece_by_piece(void **state)
{
    struct served *served = *state;
    int fd = dial(served);
    say(fd, "GET /pieces HTTP/1.1\r\nHost: consilium\r\n\r\n");
    char *answer = hear(served, fd, "cccccccccc");
    assert_non_null(strstr(answer, "Content-Length: 2500"));
    assert_non_null(strstr(answer, "abbb"));
    close(fd);
}

static void events_come_as_they_happen(void **state)
{
    struct served *served = *state;
    int fd = dial(served);
    say(fd, "GET /events HTTP/1.1\r\nHost: consilium\r\n\r\n");
    assert_non_null(strstr(hear(served, fd, "{\"n\": 1}"), "text/event-stream"));
    for (int i = 0; i < 20; i++)
        uv_run(&served->loop, UV_RUN_NOWAIT);
    http_events_push(served->events, "record", "{\"n\": 2}");
    assert_non_null(strstr(hear(served, fd, "{\"n\": 2}"), "event: record\ndata: {\"n\": 2}\n\n"));
    close(fd);
    for (int i = 0; i < 50 && served->gone == 0; i++) {
        http_events_push(served->events, "record", "{}");
        uv_run(&served->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(1, served->gone);
}

static void a_reader_of_events_that_takes_nothing_is_let_go(void **state)
{
    struct served *served = *state;
    int fd = dial(served);
    say(fd, "GET /events HTTP/1.1\r\nHost: consilium\r\n\r\n");
    (void)hear(served, fd, "{\"n\": 1}");
    char data[900];
    memset(data, 'x', sizeof data - 1);
    data[sizeof data - 1] = 0;
    for (int i = 0; i < 2000 && served->gone == 0; i++)
        http_events_push(served->events, "record", data);
    assert_int_equal(1, served->gone);
    close(fd);
}

static void closing_while_requests_wait_is_clean(void **state)
{
    struct served *served = *state;
    int slow = dial(served), events = dial(served);
    say(slow, "GET /later HTTP/1.1\r\nHost: consilium\r\n\r\n");
    say(events, "GET /events HTTP/1.1\r\nHost: consilium\r\n\r\n");
    (void)hear(served, events, "{\"n\": 1}");
    for (int i = 0; i < 100 && served->waiting == NULL; i++)
        uv_run(&served->loop, UV_RUN_NOWAIT);
    http_free(served->http);
    served->http = NULL;
    assert_int_equal(1, served->gone);
    struct http_answer yes = {.status = 200, .type = "text/plain"};
    http_response_answer(served->waiting, &yes, bytes_of_text("too late"));
    close(slow);
    close(events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_arrives_whole_and_is_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refusal_at_the_head_reads_no_body, setup, teardown),
        cmocka_unit_test_setup_teardown(a_body_over_its_limit_is_refused_before_it_comes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_answer_may_come_later, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_to_nobody_does_no_harm, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_answer_is_made_piece_by_piece, setup, teardown),
        cmocka_unit_test_setup_teardown(events_come_as_they_happen, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reader_of_events_that_takes_nothing_is_let_go, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(closing_while_requests_wait_is_clean, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
