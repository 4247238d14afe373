/* Whether outsiders who connect without end keep a member out: how long a member at a round trip of
 * 100 ms takes to get in, by itself and while 3,000 connections a second come from one host, from
 * 64 hosts of one network, and from 64 networks. Printed, not asserted: `flood.WHO_ms` is the
 * median of TRY_COUNT members who come one after the other, each from an address that was never
 * seen before, `flood.WHO_max_ms` the slowest, `flood.WHO_rate` how many connections a second the
 * flood made.
 *
 * All is on the loopback, whose addresses 127.0.0.0/8 are many hosts. The server, the flood and the
 * member are processes of their own; the distance is a proxy in the member's loop. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "node/net/hub.h"

enum {
    TRY_COUNT = 15,
    GIVE_UP_MS = 30000,
    ONE_WAY_MS = 50,
    FLOOD_RATE = 3000,
    FLOOD_OPEN = 8192, /* connections that the flood holds; the oldest goes */
    FLOOD_WARM_MS = 2000,
    PIECE_SIZE = 16384,
};

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "flood_bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void pause_ms(double ms)
{
    struct timespec pause = {.tv_sec = (time_t)(ms / 1e3)};
    pause.tv_nsec = (long)((ms - 1e3 * (double)pause.tv_sec) * 1e6);
    if (ms > 0)
        nanosleep(&pause, NULL);
}

static void raise_files(void)
{
    struct rlimit limit;
    must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "RLIMIT_NOFILE");
    limit.rlim_cur = limit.rlim_max;
    must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "RLIMIT_NOFILE");
}

/* ---- the server: takes one key, and says each frame back ---- */

struct keys {
    struct transport_key server, member;
    uint8_t server_secret[KEY_SIZE], member_secret[KEY_SIZE];
};

struct server {
    struct hub *hub;
};

static void server_on_frame(void *user, struct hub_link link, struct bytes frame)
{
    struct server *server = user;
    err ignored = hub_send(server->hub, link, frame);
    (void)ignored;
}

static void server_run(const struct keys *keys, int port_out)
{
    uv_loop_t loop;
    struct zap_authenticator *zap_authenticator = NULL;
    struct server server = {NULL};
    struct address any = {.host = "127.0.0.1", .literal = true};
    must(uv_loop_init(&loop) == 0 && zap_authenticator_new(&loop, &zap_authenticator) == OK,
         "the server's loop");
    struct hub_config config = {.public_key = keys->server,
                                .secret_key = keys->server_secret,
                                .listen = &any,
                                .listen_count = 1,
                                .calls = {.on_frame = server_on_frame},
                                .user = &server};
    must(hub_new(zap_authenticator, &config, &server.hub) == OK, "the server");
    must(hub_allow(server.hub, &keys->member, 1) == OK, "the list");
    uint16_t port = hub_address(server.hub, 0).port;
    must(write(port_out, &port, sizeof port) == sizeof port, "the port");
    (void)uv_run(&loop, UV_RUN_DEFAULT); /* until it is killed */
}

/* ---- the flood: connects, says nothing, and holds on ---- */

static struct sockaddr_in at(uint32_t host, uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(host)};
}

static void flood_connect(int *place, uint32_t from, uint16_t port)
{
    const int on = 1;
    const struct linger reset = {.l_onoff = 1}; /* leaves no port behind that waits */
    struct sockaddr_in source = at(from, 0), target = at(INADDR_LOOPBACK, port);
    if (*place >= 0)
        (void)close(*place);
    *place = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*place < 0)
        return;
    (void)setsockopt(*place, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    (void)setsockopt(*place, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(*place, (struct sockaddr *)&source, sizeof source) == 0)
        (void)connect(*place, (struct sockaddr *)&target, sizeof target);
}

/* `hosts` addresses, `apart` numbers from each other. Tells how many it made when asked to end. */
static volatile sig_atomic_t flood_ends;

static void on_term(int signal_number)
{
    (void)signal_number;
    flood_ends = 1;
}

static void flood_run(unsigned hosts, uint32_t apart, uint16_t port, int count_out)
{
    static int open_now[FLOOD_OPEN];
    unsigned long made = 0;
    double start = now_ms();
    (void)signal(SIGTERM, on_term);
    memset(open_now, 0xff, sizeof open_now);
    while (!flood_ends) {
        unsigned long due = (unsigned long)((now_ms() - start) * FLOOD_RATE / 1e3);
        for (; made < due && !flood_ends; made++)
            flood_connect(&open_now[made % FLOOD_OPEN],
                          0x7f400001 + (uint32_t)(made % hosts) * apart, port);
        pause_ms(1);
    }
    double rate = (double)made * 1e3 / (now_ms() - start);
    must(write(count_out, &rate, sizeof rate) == sizeof rate, "the rate");
}

/* ---- the distance: what comes in at one end goes out at the other 50 ms later ---- */

struct piece {
    struct piece *next;
    double due_ms;
    ssize_t size; /* 0: the end */
    uint8_t data[];
};

struct distance {
    int listener;
    int ends[2];                      /* the member's and the server's; -1 */
    struct piece *first[2], *last[2]; /* on the way from that end */
    double connect_at_ms;             /* 0: not asked to */
    uint32_t from;
    uint16_t port;
};

static void distance_reset(struct distance *distance)
{
    for (int i = 0; i < 2; i++) {
        if (distance->ends[i] >= 0)
            (void)close(distance->ends[i]);
        distance->ends[i] = -1;
        for (struct piece *piece; (piece = distance->first[i]) != NULL; free(piece))
            distance->first[i] = piece->next;
        distance->last[i] = NULL;
    }
    distance->connect_at_ms = 0;
}

static void distance_take(struct distance *distance, int end)
{
    uint8_t data[PIECE_SIZE];
    ssize_t size = recv(distance->ends[end], data, sizeof data, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == ENOTCONN || errno == EINPROGRESS))
        return;
    if (distance->last[end] != NULL && distance->last[end]->size == 0)
        return;
    size = size < 0 ? 0 : size;
    struct piece *piece = malloc(sizeof *piece + (size_t)size);
    must(piece != NULL, "memory");
    *piece = (struct piece){.due_ms = now_ms() + ONE_WAY_MS, .size = size};
    memcpy(piece->data, data, (size_t)size);
    if (distance->last[end] == NULL)
        distance->first[end] = piece;
    else
        distance->last[end]->next = piece;
    distance->last[end] = piece;
}

/* False when an end arrived. */
static bool distance_give(struct distance *distance, int end)
{
    for (struct piece *piece; (piece = distance->first[end]) != NULL && piece->due_ms <= now_ms();
         free(piece)) {
        if (piece->size == 0 || send(distance->ends[1 - end], piece->data, (size_t)piece->size,
                                     MSG_NOSIGNAL) != piece->size)
            return false;
        distance->first[end] = piece->next;
        if (piece->next == NULL)
            distance->last[end] = NULL;
    }
    return true;
}

/* The real handshake of TCP is over at once on the loopback, so it is waited for here. */
static void distance_connect(struct distance *distance)
{
    struct sockaddr_in source = at(distance->from, 0);
    struct sockaddr_in target = at(INADDR_LOOPBACK, distance->port);
    distance->connect_at_ms = 0;
    distance->ends[1] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(distance->ends[1] >= 0 &&
             bind(distance->ends[1], (struct sockaddr *)&source, sizeof source) == 0,
         "the proxy's way on");
    if (connect(distance->ends[1], (struct sockaddr *)&target, sizeof target) != 0 &&
        errno != EINPROGRESS)
        distance_reset(distance);
}

static void distance_turn(struct distance *distance)
{
    int next = accept4(distance->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (next >= 0) {
        distance_reset(distance);
        distance->ends[0] = next;
        distance->connect_at_ms = now_ms() + 2 * ONE_WAY_MS;
    }
    if (distance->connect_at_ms != 0 && distance->connect_at_ms <= now_ms())
        distance_connect(distance);
    if (distance->ends[1] < 0)
        return;
    for (int end = 0; end < 2; end++)
        distance_take(distance, end);
    if (!distance_give(distance, 0) || !distance_give(distance, 1))
        distance_reset(distance);
}

static void distance_open(struct distance *distance, uint16_t *ret_port)
{
    struct sockaddr_in here = at(INADDR_LOOPBACK, 0);
    socklen_t size = sizeof here;
    *distance = (struct distance){.ends = {-1, -1}};
    distance->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(distance->listener >= 0 &&
             bind(distance->listener, (struct sockaddr *)&here, sizeof here) == 0 &&
             listen(distance->listener, 8) == 0 &&
             getsockname(distance->listener, (struct sockaddr *)&here, &size) == 0,
         "the proxy");
    *ret_port = ntohs(here.sin_port);
}

/* ---- the member ---- */

struct member {
    struct hub *hub;
    bool is_answered;
};

static void member_on_up(void *user, struct hub_link link, const struct transport_key *peer,
                         enum hub_direction direction)
{
    struct member *member = user;
    (void)peer;
    (void)direction;
    must(hub_send(member->hub, link, bytes_of_text("are you there?")) == OK, "sending");
}

static void member_on_frame(void *user, struct hub_link link, struct bytes frame)
{
    struct member *member = user;
    (void)link;
    (void)frame;
    member->is_answered = true;
}

static void on_tick(uv_timer_t *timer)
{
    distance_turn(timer->data);
}

/* Milliseconds until the server said a frame back. */
static double member_gets_in(const struct keys *keys, uint16_t port, uint32_t from)
{
    uv_loop_t loop;
    uv_timer_t tick;
    struct zap_authenticator *zap_authenticator = NULL;
    struct distance distance;
    struct member member = {NULL, false};
    struct hub_link link;
    struct address near = {.host = "127.0.0.1", .literal = true};
    distance_open(&distance, &near.port);
    distance.from = from;
    distance.port = port;
    must(uv_loop_init(&loop) == 0 && zap_authenticator_new(&loop, &zap_authenticator) == OK,
         "the member's loop");
    must(uv_timer_init(&loop, &tick) == 0 && uv_timer_start(&tick, on_tick, 1, 1) == 0, "a timer");
    tick.data = &distance;
    struct hub_config config = {.public_key = keys->member,
                                .secret_key = keys->member_secret,
                                .calls = {.on_up = member_on_up, .on_frame = member_on_frame},
                                .user = &member};
    must(hub_new(zap_authenticator, &config, &member.hub) == OK, "the member");
    double start = now_ms();
    must(hub_dial(member.hub, &near, &keys->server, &link) == OK, "dialing");
    while (!member.is_answered && now_ms() - start < GIVE_UP_MS)
        (void)uv_run(&loop, UV_RUN_ONCE);
    double took = now_ms() - start;
    hub_free(member.hub);
    zap_authenticator_free(zap_authenticator);
    uv_close((uv_handle_t *)&tick, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&loop);
    distance_reset(&distance);
    (void)close(distance.listener);
    return took;
}

/* ---- a figure ---- */

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void measure(const struct keys *keys, const char *name, unsigned hosts, uint32_t apart)
{
    int port_pipe[2], rate_pipe[2];
    uint16_t port = 0;
    double took[TRY_COUNT], rate = 0;
    must(pipe(port_pipe) == 0 && pipe(rate_pipe) == 0, "pipes");
    pid_t server = fork();
    if (server == 0) {
        server_run(keys, port_pipe[1]);
        _exit(0);
    }
    must(server > 0 && read(port_pipe[0], &port, sizeof port) == sizeof port, "the server's port");
    pid_t flood = hosts == 0 ? -1 : fork();
    if (flood == 0) {
        flood_run(hosts, apart, port, rate_pipe[1]);
        _exit(0);
    }
    if (flood > 0)
        pause_ms(FLOOD_WARM_MS);
    for (uint32_t i = 0; i < TRY_COUNT; i++)
        took[i] = member_gets_in(keys, port, 0x7fc80001 + (i << 8)); /* 127.200.i.1 */
    if (flood > 0) {
        must(kill(flood, SIGTERM) == 0 && read(rate_pipe[0], &rate, sizeof rate) == sizeof rate,
             "the flood's rate");
        (void)waitpid(flood, NULL, 0);
        printf("flood.%s_rate %.0f connections/s\n", name, rate);
    }
    must(kill(server, SIGKILL) == 0 && waitpid(server, NULL, 0) == server, "ending the server");
    for (int i = 0; i < 2; i++) {
        (void)close(port_pipe[i]);
        (void)close(rate_pipe[i]);
    }
    qsort(took, TRY_COUNT, sizeof took[0], by_size);
    printf("flood.%s_ms %.0f ms\n", name, took[TRY_COUNT / 2]);
    printf("flood.%s_max_ms %.0f ms\n", name, took[TRY_COUNT - 1]);
    (void)fflush(stdout);
}

int main(void)
{
    struct keys keys;
    must(sodium_init() >= 0, "libsodium");
    must(crypto_box_keypair(keys.server.bytes, keys.server_secret) == 0 &&
             crypto_box_keypair(keys.member.bytes, keys.member_secret) == 0,
         "keys");
    (void)signal(SIGPIPE, SIG_IGN);
    raise_files();
    measure(&keys, "nobody", 0, 0);
    measure(&keys, "one_host", 1, 0);
    measure(&keys, "one_network", 64, 1);
    measure(&keys, "many_networks", 64, 256);
    return 0;
}
