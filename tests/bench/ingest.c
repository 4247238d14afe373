#include "tests/bench/ingest.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "node/links/links.h"
#include "node/net/hub.h"
#include "node/os/sched_slice.h"
#include "node/roster_sync/roster_sync.h"
#include "node/rows/node_row.h"
#include "protocol/wire/frame.h"
#include "tests/harness/federation.h"

enum {
    INGEST_LINK_MAX = 16,
    INGEST_WRITER_MAX = 512,
    INGEST_PLAINTEXT_SIZE = 320,
    INGEST_PORT = 47811,
    INGEST_RECEIVER = 1,
};

/* One frame as it is sent, and what says that it is durable at the other end. */
struct ingest_frame {
    uint8_t *data;
    size_t size;
    struct stream_id stream; /* of its last record */
    uint64_t sequence;
    double sent_at_s;
    double acked_at_s;
};

struct ingest_link {
    struct hub *hub;
    struct hub_link link;
    struct transport_key key;
    uint8_t secret[32];
    struct ingest_frame *frames;
    uint32_t sent;
    uint32_t acked;
};

struct ingest {
    const struct ingest_plan *plan;
    struct federation society;
    struct ingest_link links[INGEST_LINK_MAX];
    struct transport_key receiver_key;
    uint8_t receiver_secret[32];
    uv_loop_t loop;
    double started_at_s;
    double ended_at_s;
    double sender_s;   /* of processor time, until it ended */
    double receiver_s; /* the same; its start too */
    clockid_t receiver_clock;
};

static void must(int is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "bench: %s failed\n", what);
        exit(1);
    }
}

static double ingest_seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double ingest_now_s(void)
{
    return ingest_seconds(CLOCK_MONOTONIC);
}

static double ingest_spent_s(int who)
{
    struct rusage usage;
    must(getrusage(who, &usage) == 0, "asking what was spent");
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* ---- the limit ---- */

/* As many signatures as there are records in a frame or two, each by a key of its own: one and the
 * same again and again would teach the processor its branches, and look 5 % faster than any that is
 * new. */
enum { INGEST_BARE_COUNT = 256 };

struct ingest_signed {
    uint8_t public_key[32];
    uint8_t message[RECORD_HEADER_SIZE];
    uint8_t signature[64];
};

struct ingest_bare {
    struct ingest_signed all[INGEST_BARE_COUNT];
    uint64_t count;
    double seconds;
    double spent_s;
};

static void ingest_sign(struct ingest_signed *one)
{
    uint8_t secret[64];
    randombytes_buf(one->message, sizeof one->message);
    must(crypto_sign_keypair(one->public_key, secret) == 0, "making a key");
    must(crypto_sign_detached(one->signature, NULL, one->message, sizeof one->message, secret) == 0,
         "signing");
}

static void *ingest_verify(void *arg)
{
    struct ingest_bare *bare = arg;
    double start = ingest_seconds(CLOCK_MONOTONIC);
    double spent = ingest_seconds(CLOCK_THREAD_CPUTIME_ID);
    while (ingest_seconds(CLOCK_MONOTONIC) - start < 1.0) {
        for (int i = 0; i < INGEST_BARE_COUNT; i++) {
            const struct ingest_signed *one = &bare->all[i];
            must(crypto_sign_verify_detached(one->signature, one->message, sizeof one->message,
                                             one->public_key) == 0,
                 "verifying");
        }
        bare->count += INGEST_BARE_COUNT;
    }
    bare->seconds = ingest_seconds(CLOCK_MONOTONIC) - start;
    bare->spent_s = ingest_seconds(CLOCK_THREAD_CPUTIME_ID) - spent;
    return NULL;
}

struct ingest_limit ingest_bare_verify(void)
{
    unsigned count = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    pthread_t threads[64];
    struct ingest_limit limit = {0};
    count = count > 64 ? 64 : count;
    struct ingest_bare *bares = calloc(count, sizeof *bares);
    must(bares != NULL, "memory");
    for (unsigned i = 0; i < count * INGEST_BARE_COUNT; i++)
        ingest_sign(&bares[i / INGEST_BARE_COUNT].all[i % INGEST_BARE_COUNT]);
    for (unsigned i = 0; i < count; i++)
        must(pthread_create(&threads[i], NULL, ingest_verify, &bares[i]) == 0, "a thread");
    for (unsigned i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        limit.rate += (double)bares[i].count / bares[i].seconds;
        limit.cpu_us += bares[i].spent_s / (double)bares[i].count * 1e6 / count;
    }
    free(bares);
    return limit;
}

/* ---- the federation: member 1 receives, 2 to 17 send, all others only write ---- */

static struct member ingest_member(uint32_t number)
{
    struct member member = federation_member(number, 1);
    uint8_t secret[32], seed[32] = {9, (uint8_t)(number >> 8), (uint8_t)number};
    must(crypto_box_seed_keypair(member.transport_key.bytes, secret, seed) == 0, "a key");
    return member;
}

static void ingest_found(struct ingest *ingest, uint32_t member_count)
{
    struct settings settings;
    uint8_t seed[32] = {9, 0, INGEST_RECEIVER};
    federation_begin(&ingest->society, roster_plan_full());
    federation_settings(&settings);
    settings.relay_count = 0;
    federation_put_settings(&ingest->society, &settings);
    for (uint32_t i = 1; i <= member_count; i++) {
        struct member member = ingest_member(i);
        federation_put_member(&ingest->society, &member);
    }
    must(federation_draft(&ingest->society) == OK, "drafting the founding head");
    must(federation_take(&ingest->society) == OK, "founding");
    must(crypto_box_seed_keypair(ingest->receiver_key.bytes, ingest->receiver_secret, seed) == 0,
         "a key");
    for (uint32_t i = 0; i < ingest->plan->link_count; i++) {
        struct ingest_link *link = &ingest->links[i];
        uint8_t link_seed[32] = {9, 0, (uint8_t)(2 + i)};
        must(crypto_box_seed_keypair(link->key.bytes, link->secret, link_seed) == 0, "a key");
    }
}

/* ---- the records ---- */

struct ingest_writer {
    uint8_t secret[64];
    struct record_header header;
};

static size_t ingest_seal(struct ingest_writer *writer, struct buffer *out)
{
    static uint8_t memory[RECORD_SIZE_MAX];
    static const uint8_t plaintext[INGEST_PLAINTEXT_SIZE] = {0x02, 0x7f}; /* a kind not known */
    struct record_secrets secrets = {.sign_secret = writer->secret};
    struct buffer sealed = buffer_over(memory, sizeof memory);
    struct record_id id;
    randombytes_buf(secrets.key.bytes, sizeof secrets.key.bytes);
    randombytes_buf(secrets.nonce, sizeof secrets.nonce);
    writer->header.sequence++;
    must(record_seal(&writer->header, (struct bytes){plaintext, sizeof plaintext}, &secrets,
                     &sealed, &id) == OK,
         "sealing");
    writer->header.previous = id;
    struct frame_record record = {
        .has_key = true, .key = secrets.key, .record = buffer_bytes(&sealed)};
    frame_record_write(out, &record);
    return sealed.size;
}

static void ingest_make(struct ingest *ingest, struct ingest_link *link, uint32_t first_writer)
{
    const struct ingest_plan *plan = ingest->plan;
    struct ingest_writer *writer_quota = calloc(plan->writers_a_frame, sizeof *writer_quota);
    uint8_t *memory = malloc(FRAME_SIZE_MAX);
    link->frames = calloc(plan->frame_count, sizeof *link->frames);
    must(writer_quota != NULL && memory != NULL && link->frames != NULL, "memory");
    for (uint32_t i = 0; i < plan->writers_a_frame; i++) {
        uint8_t public_key[32];
        federation_key(first_writer + i, 2, public_key, writer_quota[i].secret);
        writer_quota[i].header = (struct record_header){
            .federation = roster_federation(&ingest->society.roster),
            .audience = AUDIENCE_SCOPE,
            .head = roster_current_id(&ingest->society.roster),
            .time = {FEDERATION_START_MS + 2 * FEDERATION_HOUR_MS},
        };
        writer_quota[i].header.stream.scope =
            scope_board(&writer_quota[i].header.federation, bytes_of_text("hematology"));
        writer_quota[i].header.stream.writer = federation_node(first_writer + i);
        writer_quota[i].header.stream.generation = 1;
    }
    for (uint32_t f = 0; f < plan->frame_count; f++) {
        struct buffer out = buffer_over(memory, FRAME_SIZE_MAX);
        struct ingest_writer *last = NULL;
        uint16_t count = 0;
        frame_records_begin(&out);
        for (uint32_t i = 0; i < plan->writers_a_frame; i++) {
            /* runs: one writer a frame, in turn; else each writer once */
            last =
                plan->run_length > 1 ? &writer_quota[f % plan->writers_a_frame] : &writer_quota[i];
            for (uint32_t j = 0; j < plan->run_length; j++, count++)
                (void)ingest_seal(last, &out);
            if (plan->run_length > 1)
                break;
        }
        frame_records_end(&out, count);
        must(!out.failed, "filling a frame");
        struct ingest_frame *frame = &link->frames[f];
        frame->data = malloc(out.size);
        must(frame->data != NULL, "memory");
        memcpy(frame->data, memory, out.size);
        frame->size = out.size;
        frame->stream = last->header.stream;
        frame->sequence = last->header.sequence;
    }
    free(memory);
    free(writer_quota);
}

/* ---- the sender ---- */

static void ingest_send(struct ingest *ingest, struct ingest_link *link)
{
    while (link->sent < ingest->plan->frame_count &&
           link->sent - link->acked < ingest->plan->window) {
        struct ingest_frame *frame = &link->frames[link->sent];
        err failure = hub_send(link->hub, link->link, (struct bytes){frame->data, frame->size});
        if (failure != OK)
            return;
        frame->sent_at_s = ingest_now_s();
        link->sent++;
    }
}

struct ingest_user {
    struct ingest *ingest;
    struct ingest_link *link;
};

static void ingest_on_up(void *user, struct hub_link hub_link, const struct transport_key *peer,
                         enum hub_direction direction)
{
    struct ingest_user *one = user;
    uint8_t memory[256];
    struct buffer out = buffer_over(memory, sizeof memory);
    const struct chain_link *head = chain_last(&one->ingest->society.roster.chain);
    struct frame_hello hello = {.version_min = FRAME_VERSION,
                                .version_max = FRAME_VERSION,
                                .federation = roster_federation(&one->ingest->society.roster),
                                .epoch = head->epoch,
                                .head = head->id,
                                .time = runtime_wall()};
    (void)peer;
    (void)direction;
    frame_hello_write(&out, &hello);
    must(hub_send(one->link->hub, hub_link, buffer_bytes(&out)) == OK, "saying hello");
}

static void ingest_on_ack(struct ingest_user *one, struct bytes bytes)
{
    struct reader reader;
    uint16_t count;
    must(frame_positions_open(bytes, &reader, &count) == OK, "reading an acknowledgement");
    for (uint16_t i = 0; i < count; i++) {
        struct frame_position position;
        must(frame_position_read(&reader, &position) == OK, "reading a position");
        struct ingest_link *link = one->link;
        if (link->acked == one->ingest->plan->frame_count)
            return;
        struct ingest_frame *frame = &link->frames[link->acked];
        while (link->acked < link->sent && stream_id_equal(&frame->stream, &position.stream) &&
               position.had >= frame->sequence) {
            frame->acked_at_s = ingest_now_s();
            frame = &link->frames[++link->acked];
        }
    }
}

static void ingest_start(struct ingest *ingest)
{
    ingest->started_at_s = ingest_now_s();
    ingest->sender_s = -ingest_spent_s(RUSAGE_SELF);
}

static void ingest_on_frame(void *user, struct hub_link hub_link, struct bytes bytes)
{
    struct ingest_user *one = user;
    (void)hub_link;
    if (bytes.data[0] == FRAME_SUMMARY && one->ingest->started_at_s == 0)
        ingest_start(one->ingest); /* it greeted us: it takes records now */
    if (bytes.data[0] == FRAME_ACK)
        ingest_on_ack(one, bytes);
    if (one->ingest->started_at_s != 0)
        ingest_send(one->ingest, one->link);
    bool is_done = true;
    for (uint32_t i = 0; i < one->ingest->plan->link_count; i++)
        is_done = is_done && one->ingest->links[i].acked == one->ingest->plan->frame_count;
    if (is_done) {
        one->ingest->ended_at_s = ingest_now_s();
        one->ingest->sender_s += ingest_spent_s(RUSAGE_SELF);
        one->ingest->receiver_s = ingest_seconds(one->ingest->receiver_clock);
        uv_stop(&one->ingest->loop);
    }
}

static void ingest_on_drained(void *user, struct hub_link hub_link)
{
    struct ingest_user *one = user;
    (void)hub_link;
    ingest_send(one->ingest, one->link);
}

static void ingest_dial(struct ingest *ingest, struct zap_authenticator *zap_authenticator,
                        struct ingest_link *link, struct ingest_user *user)
{
    char text[64];
    struct address address;
    struct hub_config config = {.public_key = link->key,
                                .secret_key = link->secret,
                                .calls = {.on_up = ingest_on_up,
                                          .on_frame = ingest_on_frame,
                                          .on_drained = ingest_on_drained},
                                .user = user};
    *user = (struct ingest_user){ingest, link};
    must(hub_new(zap_authenticator, &config, &link->hub) == OK, "a hub");
    snprintf(text, sizeof text, "tcp://127.0.0.1:%d", INGEST_PORT);
    must(address_parse(bytes_of_text(text), &address) == OK, "an address");
    must(hub_dial(link->hub, &address, &ingest->receiver_key, &link->link) == OK, "dialing");
}

static int ingest_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static struct ingest_result ingest_measure(struct ingest *ingest)
{
    const struct ingest_plan *plan = ingest->plan;
    size_t count = (size_t)plan->link_count * plan->frame_count, n = 0;
    double *latencies = calloc(count, sizeof *latencies);
    must(latencies != NULL, "memory");
    for (uint32_t i = 0; i < plan->link_count; i++) {
        for (uint32_t f = 0; f < plan->frame_count; f++) {
            const struct ingest_frame *frame = &ingest->links[i].frames[f];
            latencies[n++] = (frame->acked_at_s - frame->sent_at_s) * 1e3;
        }
    }
    qsort(latencies, count, sizeof *latencies, ingest_compare);
    uint32_t a_frame = plan->run_length > 1 ? plan->run_length : plan->writers_a_frame;
    struct ingest_result result = {
        .record_count = (uint64_t)count * a_frame,
        .ack_p50_ms = latencies[count / 2],
        .ack_p99_ms = latencies[count * 99 / 100],
    };
    result.rate = (double)result.record_count / (ingest->ended_at_s - ingest->started_at_s);
    free(latencies);
    return result;
}

/* ---- the receiver: the production shell ---- */

static void ingest_prepare(const struct ingest *ingest, const uint8_t store_key[static KEY_SIZE])
{
    struct node_id self = federation_node(INGEST_RECEIVER);
    struct federation_id federation = roster_federation(&ingest->society.roster);
    char problem[STORE_PROBLEM_SIZE], folder[4096];
    uint8_t framed[4 + HEAD_SIZE_MAX];
    struct store *store;
    void *memory;
    struct roster roster = federation_roster(roster_plan_full(), self, &federation, &memory);
    struct buffer heads = buffer_over(framed, sizeof framed);
    struct store_options options = {.owner = runtime_owner(&federation, &self)};
    must(roster_apply(&roster, ingest->society.signed_head, &ingest->society.delta,
                      ingest->society.now) == OK,
         "taking the founding head");
    buffer_u32(&heads, (uint32_t)ingest->society.signed_head.size);
    buffer_put(&heads, ingest->society.signed_head.data, ingest->society.signed_head.size);
    snprintf(folder, sizeof folder, "%s/store", ingest->plan->folder);
    must(store_open(folder, store_key, &options, problem, &store) == OK, problem);
    must(roster_sync_keep(store, &roster, buffer_bytes(&heads)) == OK, "keeping the roster");
    store_close(store);
    free(memory);
}

enum { INGEST_LOOK_MS = 100 };

struct ingest_late {
    const struct ingest_plan *plan;
    struct runtime *runtime;
    int fd;
};

/* Tells once all that was sent is stored, and its signatures are checked. */
static void ingest_on_look(uv_timer_t *timer)
{
    const struct ingest_late *late = timer->data;
    struct store_usage usage;
    uint64_t all = (uint64_t)late->plan->link_count * late->plan->frame_count;
    must(store_usage(runtime_store(late->runtime), &usage) == OK, "asking the store");
    if (usage.record_count < all ||
        node_row_checked_get(runtime_store(late->runtime)) < usage.record_number_last)
        return;
    uv_timer_stop(timer);
    must(write(late->fd, "d", 1) == 1, "telling that it is done");
}

static void ingest_receive(const struct ingest *ingest, int ready_fd)
{
    uint8_t store_key[KEY_SIZE] = {7}, sign_public[32], sign_secret[64];
    char problem[STORE_PROBLEM_SIZE] = "", folder[4096], text[64];
    uv_loop_t loop;
    struct workers *workers;
    struct zap_authenticator *zap_authenticator;
    struct driver *driver;
    struct links *links;
    struct address address;
    ingest_prepare(ingest, store_key);
    federation_key(INGEST_RECEIVER, 2, sign_public, sign_secret);
    uv_loop_init(&loop);
    sched_slice_short();
    must(zap_authenticator_new(&loop, &zap_authenticator) == OK, "a gate");
    unsigned threads = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    must(workers_new(&loop, threads, 4096, &workers) == OK, "workers");
    snprintf(folder, sizeof folder, "%s/store", ingest->plan->folder);
    struct runtime_config config = {.name = "bench",
                                    .data = folder,
                                    .federation = roster_federation(&ingest->society.roster),
                                    .self = federation_node(INGEST_RECEIVER),
                                    .sign_secret = sign_secret,
                                    .store_key = store_key,
                                    .loop = &loop,
                                    .workers = workers};
    must(driver_open(&config, problem, &driver) == OK, problem);
    snprintf(text, sizeof text, "tcp://127.0.0.1:%d", INGEST_PORT);
    must(address_parse(bytes_of_text(text), &address) == OK, "an address");
    struct links_config links_config = {.driver = driver,
                                        .zap_authenticator = zap_authenticator,
                                        .loop = &loop,
                                        .public_key = ingest->receiver_key,
                                        .secret_key = ingest->receiver_secret,
                                        .listen = &address,
                                        .listen_count = 1};
    must(links_new(&links_config, &links) == OK, "listening");
    must(write(ready_fd, "r", 1) == 1, "telling that it is ready");
    struct ingest_late late = {ingest->plan, driver_runtime(driver), ready_fd};
    uv_timer_t timer = {.data = &late};
    uv_timer_init(&loop, &timer);
    if (ingest->plan->is_burst)
        uv_timer_start(&timer, ingest_on_look, INGEST_LOOK_MS, INGEST_LOOK_MS);
    uv_run(&loop, UV_RUN_DEFAULT); /* until it is killed */
}

struct ingest_result ingest_run(const struct ingest_plan *plan)
{
    static struct ingest ingest;
    struct ingest_user users[INGEST_LINK_MAX];
    struct zap_authenticator *zap_authenticator;
    int ready[2];
    char byte;
    must(sodium_init() >= 0, "libsodium");
    memset(&ingest, 0, sizeof ingest);
    ingest.plan = plan;
    uint32_t first = plan->is_burst ? 2 : 2 + INGEST_LINK_MAX;
    ingest_found(&ingest, 2 + INGEST_LINK_MAX + plan->link_count * plan->writers_a_frame);
    for (uint32_t i = 0; i < plan->link_count; i++)
        ingest_make(&ingest, &ingest.links[i], first + i * plan->writers_a_frame);
    must(pipe(ready) == 0, "a pipe");
    pid_t receiver = fork();
    must(receiver >= 0, "a process");
    if (receiver == 0) {
        ingest_receive(&ingest, ready[1]);
        _exit(0);
    }
    must(read(ready[0], &byte, 1) == 1, "the receiver's start");
    must(clock_getcpuclockid(receiver, &ingest.receiver_clock) == 0, "the receiver's clock");
    sched_slice_short(); /* as every node */
    uv_loop_init(&ingest.loop);
    must(zap_authenticator_new(&ingest.loop, &zap_authenticator) == OK, "a gate");
    for (uint32_t i = 0; i < plan->link_count; i++)
        ingest_dial(&ingest, zap_authenticator, &ingest.links[i], &users[i]);
    uv_run(&ingest.loop, UV_RUN_DEFAULT);
    if (plan->is_burst)
        must(read(ready[0], &byte, 1) == 1, "the last late check");
    double late_s = ingest_now_s() - ingest.ended_at_s;
    kill(receiver, SIGKILL);
    waitpid(receiver, NULL, 0);
    struct ingest_result result = ingest_measure(&ingest);
    double count = (double)result.record_count;
    result.late_s = plan->is_burst ? late_s : 0;
    result.sender_us = ingest.sender_s / count * 1e6;
    result.receiver_us = ingest.receiver_s / count * 1e6;
    federation_end(&ingest.society);
    return result;
}
