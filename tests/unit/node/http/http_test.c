/* A real socket, a real client: what is asked arrives, what is answered goes out, and neither a
 * slow answer nor a rude client harms the others. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
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
    bool is_privileged; /* are we one of those who have reserved places? */
    unsigned gone;
    unsigned requests;
    char seen[256];
};

static bool on_privileged(void *arg, const struct http_peer *peer)
{
    return ((struct served *)arg)->is_privileged && peer->uid == getuid();
}

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
    } else if (strcmp(http_request_path(request), "/endless") == 0) {
        struct http_source source = {
            .size = UINT64_C(1) << 40, .piece_size = 1000, .read = on_piece};
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

static void serve(struct served *served, const struct http_limits *limits)
{
    unlink(served->address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(0, bind(fd, (struct sockaddr *)&served->address, sizeof served->address));
    assert_int_equal(0, listen(fd, 16));
    struct http_handlers handlers = {on_privileged, on_head, on_request, served};
    assert_int_equal(OK, http_new(&served->loop, fd, &handlers, limits, &served->http));
}

/* Serves again, with limits that a test can reach. */
static void serve_with(struct served *served, struct http_limits limits)
{
    http_free(served->http);
    uv_run(&served->loop, UV_RUN_DEFAULT);
    serve(served, &limits);
}

static struct http_limits few_places(void)
{
    struct http_limits limits = http_limits_usual();
    limits.connection_count_max = 4;
    limits.connection_each_count_max = 4;
    limits.connection_kept_count = 0;
    limits.is_own_process_free = false;
    limits.turn_ms = 5;
    return limits;
}

static int setup(void **state)
{
    struct served *served = calloc(1, sizeof *served);
    struct http_limits limits = http_limits_usual();
    uv_loop_init(&served->loop);
    served->address.sun_family = AF_UNIX;
    snprintf(served->address.sun_path, sizeof served->address.sun_path, "/tmp/http_test.%d.sock",
             (int)getpid());
    serve(served, &limits);
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

/* ---- places and deadlines ---- */

/* Turns the loop until the other side has closed the connection; false: it does not. */
static bool is_ended(struct served *served, int fd)
{
    for (int i = 0; i < 4000; i++) {
        struct pollfd at = {.fd = fd};
        uv_run(&served->loop, UV_RUN_NOWAIT);
        if (poll(&at, 1, 0) == 1 && (at.revents & POLLHUP) != 0)
            return true;
        usleep(500);
    }
    return false;
}

/* Connects, and turns the loop until it was accepted or refused. */
static int dial_in(struct served *served)
{
    int fd = dial(served);
    for (int i = 0; i < 10; i++)
        uv_run(&served->loop, UV_RUN_NOWAIT);
    return fd;
}

static bool is_served(struct served *served, int fd)
{
    say(fd, "GET /v1 HTTP/1.1\r\nHost: consilium\r\n\r\n");
    return strstr(hear(served, fd, "hello"), "200 OK") != NULL;
}

static void after_all_places_were_taken_the_next_is_served(void **state)
{
    struct served *served = *state;
    int fds[4];
    serve_with(served, few_places());
    for (int i = 0; i < 4; i++)
        fds[i] = dial_in(served);
    int fd = dial_in(served);
    const char *answer = hear(served, fd, "try again\"}");
    assert_non_null(strstr(answer, "503 "));
    assert_non_null(strstr(answer, "ERR_BUSY"));
    close(fd);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    for (int i = 0; i < 10; i++)
        uv_run(&served->loop, UV_RUN_NOWAIT);
    fd = dial_in(served);
    assert_true(is_served(served, fd));
    close(fd);
}

static void no_user_has_more_than_its_share_of_the_places(void **state)
{
    struct served *served = *state;
    struct http_limits limits = few_places();
    limits.connection_each_count_max = 2;
    serve_with(served, limits);
    int first = dial_in(served), second = dial_in(served), third = dial_in(served);
    assert_non_null(strstr(hear(served, third, "try again\"}"), "one user may have"));
    assert_true(is_served(served, first));
    assert_true(is_served(served, second));
    close(first);
    close(second);
    close(third);
}

static void places_are_kept_for_administrators(void **state)
{
    struct served *served = *state;
    struct http_limits limits = few_places();
    limits.connection_kept_count = 2;
    serve_with(served, limits);
    int fds[2] = {dial_in(served), dial_in(served)};
    int fd = dial_in(served);
    assert_non_null(strstr(hear(served, fd, "try again\"}"), "kept for administrators"));
    close(fd);
    served->is_privileged = true;
    fd = dial_in(served);
    assert_true(is_served(served, fd));
    close(fd);
    close(fds[0]);
    close(fds[1]);
}

static void who_sends_a_request_too_slowly_is_ended(void **state)
{
    struct served *served = *state;
    struct http_limits limits = few_places();
    limits.head_ms_max = limits.body_ms_max = 20;
    serve_with(served, limits);
    int head = dial_in(served), body = dial_in(served);
    say(head, "GET /v1 HTTP/1.1\r\nHos");
    say(body, "POST /v1 HTTP/1.1\r\nHost: consilium\r\nContent-Length: 10\r\n\r\n{");
    assert_true(is_ended(served, head));
    assert_true(is_ended(served, body));
    assert_non_null(strstr(hear(served, body, "faster\"}"), "408 Request Timeout"));
    assert_int_equal(0, served->requests);
    close(head);
    close(body);
}

static void a_body_that_comes_fast_enough_goes_on(void **state)
{
    struct served *served = *state;
    struct http_limits limits = few_places();
    limits.body_ms_max = 20;
    limits.body_bytes_a_second = 1;
    serve_with(served, limits);
    int fd = dial_in(served);
    say(fd, "POST /v1 HTTP/1.1\r\nHost: consilium\r\nContent-Length: 10\r\n\r\n12345678");
    uint64_t until = uv_hrtime() + UINT64_C(100) * 1000 * 1000;
    while (uv_hrtime() < until)
        uv_run(&served->loop, UV_RUN_NOWAIT);
    say(fd, "90");
    assert_non_null(strstr(hear(served, fd, "hello"), "200 OK"));
    close(fd);
}

static void who_takes_an_answer_too_slowly_is_ended(void **state)
{
    struct served *served = *state;
    struct http_limits limits = few_places();
    limits.answer_ms_max = 20;
    limits.answer_bytes_a_second = UINT64_C(1) << 30;
    serve_with(served, limits);
    int fd = dial_in(served);
    say(fd, "GET /endless HTTP/1.1\r\nHost: consilium\r\n\r\n");
    assert_true(is_ended(served, fd));
    close(fd);
}

static void an_answer_that_is_taken_fast_enough_goes_on(void **state)
{
    struct served *served = *state;
    struct http_limits limits = few_places();
    limits.answer_ms_max = 20;
    limits.answer_bytes_a_second = 1;
    serve_with(served, limits);
    int fd = dial_in(served);
    say(fd, "GET /endless HTTP/1.1\r\nHost: consilium\r\n\r\n");
    uint64_t until = uv_hrtime() + UINT64_C(100) * 1000 * 1000;
    while (uv_hrtime() < until) {
        char text[8192];
        uv_run(&served->loop, UV_RUN_NOWAIT);
        assert_int_not_equal(0, recv(fd, text, sizeof text, MSG_DONTWAIT));
    }
    close(fd);
}

static void who_has_gone_frees_its_place_and_wants_no_answer(void **state)
{
    struct served *served = *state;
    serve_with(served, few_places());
    int fd = dial_in(served), other = dial_in(served);
    say(fd, "GET /later HTTP/1.1\r\nHost: consilium\r\n\r\n");
    for (int i = 0; i < 1000 && served->waiting == NULL; i++)
        uv_run(&served->loop, UV_RUN_NOWAIT);
    assert_true(http_request_is_wanted(served->waiting));
    assert_int_equal(0, shutdown(fd, SHUT_WR)); /* it sends no more, and waits */
    uint64_t until = uv_hrtime() + UINT64_C(50) * 1000 * 1000;
    while (uv_hrtime() < until)
        uv_run(&served->loop, UV_RUN_NOWAIT);
    assert_true(http_request_is_wanted(served->waiting));
    int others[2] = {dial_in(served), dial_in(served)};
    close(fd);
    assert_false(http_request_is_wanted(served->waiting));
    bool has_place = false; /* of four, its own is free in the next turn of the timer */
    for (int i = 0; i < 4000 && !has_place; i++) {
        int next = dial_in(served);
        char refusal;
        has_place = recv(next, &refusal, 1, MSG_DONTWAIT) < 0;
        close(next);
        usleep(500);
    }
    assert_true(has_place);
    close(others[0]);
    close(others[1]);
    struct http_answer yes = {.status = 200, .type = "text/plain"};
    http_response_answer(served->waiting, &yes, bytes_of_text("hello?"));
    assert_true(is_served(served, other));
    close(other);
}

/* ---- heads that two readers could understand in two ways ---- */

/* It is refused with 400 and this sentence, and the handler sees nothing of it. */
static void is_refused(struct served *served, const char *head, size_t size, const char *sentence)
{
    int fd = dial(served);
    assert_int_equal(size, write(fd, head, size));
    char *answer = hear(served, fd, "}");
    if (strstr(answer, "400 Bad Request") == NULL || strstr(answer, sentence) == NULL)
        print_error("%s: %s\n", head, answer);
    assert_non_null(strstr(answer, "400 Bad Request"));
    assert_non_null(strstr(answer, sentence));
    assert_int_equal(0, served->requests);
    close(fd);
}

static void a_head_that_has_two_meanings_is_refused(void **state)
{
    static const struct {
        const char *head;
        const char *sentence;
    } cases[] = {
        {"GET /v1 HTTP/1.1\r\nHost: consilium\r\nHost: evil\r\n\r\n", "more than one Host"},
        {"GET /v1 HTTP/1.1\r\nHost: consilium\r\nhost: consilium\r\n\r\n", "more than one Host"},
        {"GET /v1 HTTP/1.1\r\nHost: consilium\r\nOrigin : http://evil\r\n\r\n", "a blank"},
        {"GET /v1 HTTP/1.1\r\nHost: consilium\r\nX\tY: z\r\n\r\n", "a blank"},
        {"POST /v1 HTTP/1.1\r\nHost: consilium\r\nContent-Length : 2\r\n\r\n{}", "a blank"},
        {"POST /v1 HTTP/1.1\r\nHost: consilium\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
         "more than one Content-Length"},
        {"POST /v1 HTTP/1.1\r\nHost: consilium\r\nContent-Length: 2\r\nContent-Length: 0\r\n\r\n{}",
         "more than one Content-Length"},
        {"GET /v1%00/status HTTP/1.1\r\nHost: consilium\r\n\r\n", "a NUL"},
        {"GET /v1?name=a%00b HTTP/1.1\r\nHost: consilium\r\n\r\n", "a NUL"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        is_refused(*state, cases[i].head, strlen(cases[i].head), cases[i].sentence);
}

static void a_bare_nul_in_the_path_is_refused(void **state)
{
    static const char path[] = "GET /v1\0/status HTTP/1.1\r\nHost: consilium\r\n\r\n";
    static const char disguised[] = "GET /v1\0HTTP/1.1 HTTP/1.1\r\nHost: consilium\r\n\r\n";
    static const char query[] = "GET /v1?name=a\0b HTTP/1.1\r\nHost: consilium\r\n\r\n";
    is_refused(*state, path, sizeof path - 1, "a NUL");
    is_refused(*state, disguised, sizeof disguised - 1, "a NUL");
    is_refused(*state, query, sizeof query - 1, "a NUL");
}

/* The head is read into a buffer that grows with it. */
static void a_long_head_is_no_fault(void **state)
{
    static char head[24 * 1024];
    struct served *served = *state;
    size_t size =
        (size_t)snprintf(head, sizeof head, "GET /v1?name=b%%20c HTTP/1.1\r\nHost: consilium\r\n");
    for (int i = 0; i < 100; i++)
        size += (size_t)snprintf(head + size, sizeof head - size, "X-%03d: %0150d\r\n", i, i);
    size += (size_t)snprintf(head + size, sizeof head - size, "\r\n");
    int fd = dial(served);
    for (size_t at = 0; at < size; at += 1000) {
        size_t piece = size - at < 1000 ? size - at : 1000;
        assert_int_equal(piece, write(fd, head + at, piece));
        for (int i = 0; i < 5; i++)
            uv_run(&served->loop, UV_RUN_NOWAIT);
    }
    assert_non_null(strstr(hear(served, fd, "hello"), "200 OK"));
    assert_non_null(strstr(served->seen, "b c"));
    close(fd);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* a write to a closed connection fails instead */
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
        cmocka_unit_test_setup_teardown(after_all_places_were_taken_the_next_is_served, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(no_user_has_more_than_its_share_of_the_places, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(places_are_kept_for_administrators, setup, teardown),
        cmocka_unit_test_setup_teardown(who_sends_a_request_too_slowly_is_ended, setup, teardown),
        cmocka_unit_test_setup_teardown(a_body_that_comes_fast_enough_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(who_takes_an_answer_too_slowly_is_ended, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_that_is_taken_fast_enough_goes_on, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_has_gone_frees_its_place_and_wants_no_answer, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_head_that_has_two_meanings_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bare_nul_in_the_path_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_head_is_no_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(closing_while_requests_wait_is_clean, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
