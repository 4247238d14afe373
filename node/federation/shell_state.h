/* What the shell's rooms share: shell.c (the turn of one event), shell_post.c (what waits to
 * be written), crypto.c (checks and seals), keeping.c (commits), restore.c (the start), outbox.c
 * (frames that wait), heads.c (the roster). */
#ifndef CONSILIUM_NODE_FEDERATION_SHELL_STATE_H
#define CONSILIUM_NODE_FEDERATION_SHELL_STATE_H

#include "node/federation/errands.h"
#include "node/federation/heads.h"
#include "node/federation/outbox.h"
#include "node/federation/parcel.h"
#include "node/federation/recording.h"
#include "node/federation/shell.h"

enum { SHELL_LISTENER_COUNT_MAX = 8, SHELL_POST_COUNT_MAX = 256, SHELL_SHOWN_COUNT = 4 };

/* A post that waits for its turn, or for its answer. */
struct shell_waiting {
    struct shell_waiting *next;
    uint64_t token;
    bool is_under_way;
    struct scope scope;
    enum audience audience;
    struct wall expires;
    struct wall asked_at;
    uint8_t *plaintext;
    size_t plaintext_size;
    void (*on_done)(void *arg, const struct shell_done *done);
    void *arg;
};

/* An event that came while another was being carried out. */
struct shell_later {
    struct shell_later *next;
    struct event event;
};

/* How far the walk through the store came (scrub.c). */
struct scrub {
    uint64_t number;      /* the last record that was looked at */
    struct wall began_at; /* this pass, or the last one */
    struct mono next_at;
    struct mono hurry_at; /* not in a hurry again before */
    bool is_resting;      /* until a day after the pass began */
    bool is_hurried;      /* all is looked at soon */
    bool is_again;        /* something could not be named yet */
    bool is_rekey_due;
};

struct shell {
    struct shell_config config;
    /* shell.c stands on all its rooms; what they ask of it goes by these: shell_turn, _release */
    void (*turn)(struct shell *shell, struct event *event, struct parcel *parcel);
    void (*release)(struct shell *shell);
    char *name;
    char *data;
    struct store *store;
    void *roster_memory;
    struct roster roster;
    void *core_memory;
    struct core *core;
    struct step *step;
    struct recording *recording;              /* NULL: none is wanted */
    uint8_t *page_memory;                     /* for short reads */
    struct consult *shown[SHELL_SHOWN_COUNT]; /* cases at rest that a screen looked at */
    size_t shown_next;
    struct heads *heads;
    struct outbox *outbox;
    struct errands *errands;
    struct audit *audit;
    struct erasing *erasing; /* under way */
    struct scrub scrub;
    struct retracting *retracting; /* the walk under way; NULL: none */
    bool has_retractions;          /* rows are there, or may be */
    struct mono retracting_at;     /* the next page */
    bool is_retraction_rekey_due;
    struct mono retraction_due_at;   /* then at the latest */
    struct mono retraction_rekey_at; /* not before */
    char *marker_path;               /* NULL: none is wanted */
    struct marker *marker;
    struct mono marker_at; /* the next look at it */
    bool is_marking;       /* its id is being kept */
    struct shell_links links;
    uv_timer_t tick;
    uv_async_t committed;
    int handles_open;
    bool is_closing;

    struct parcel_queue followers; /* sealed and loaded, to be told before anything else */
    struct parcel_queue checking;  /* in the order of their effects */
    struct parcel_queue keeping;
    struct parcel_queue kept_under_way; /* batches that the store has */
    size_t jobs_under_way;              /* with the workers */

    struct shell_waiting *posts;
    uint64_t token_last;
    size_t post_count;
    struct {
        void (*on_news)(void *arg, const struct shell_news *news);
        void *arg;
    } listeners[SHELL_LISTENER_COUNT_MAX];
    size_t listener_count;
    struct shell_items items;
    bool is_turning;
    struct shell_later *later;
};

/* Frees all when nothing is under way any more. */
void shell_release(struct shell *shell);

/* Gives the core one event, and only that: what it leaves lies in shell->step. */
void shell_step(struct shell *shell, const struct event *event);

/* Gives the core one event, carries out what it leaves, then what follows from that. `parcel` may
 * be NULL: the memory that the event's batch lies in. */
void shell_turn(struct shell *shell, struct event *event, struct parcel *parcel);

/* Stamps an event with the clocks. */
struct event shell_event(enum event_kind kind);

/* ---- shell_post.c ---- */

/* Tries every post that is not under way. */
void shell_post_next(struct shell *shell);
/* The core's answer to one. */
void shell_post_done(struct shell *shell, const struct effect *effect);
/* Gives up on what waited too long. */
void shell_post_tick(struct shell *shell);
/* Is there one that is not under way? */
bool shell_post_waits(const struct shell *shell);
/* Answers ERR_BUSY to those that are not under way, or to all. */
void shell_post_stop(struct shell *shell, bool is_for_all);

/* ---- crypto.c ---- */

/* Copies the batch, sends it to a worker; EVENT_CHECKED follows in order. */
void crypto_check(struct shell *shell, const struct effect *effect);
/* Seals at once; the answer waits in `followers`. */
void crypto_seal(struct shell *shell, const struct effect *effect);
/* Delivers finished checks in order. */
void crypto_deliver(struct shell *shell);
/* True when some wait for that: they were done here while all workers were busy. */
bool crypto_waits(const struct shell *shell);

/* ---- keeping.c ---- */

/* Queues the batch for the store; `parcel` is the memory it lies in. */
void keeping_add(struct shell *shell, const struct effect *effect, struct parcel *parcel);
/* Submits what waits, as far as the store takes it. */
void keeping_submit(struct shell *shell);
/* Tells the core what became durable. */
void keeping_drain(struct shell *shell);
/* Waits until all that was handed over is durable, and tells it. */
void keeping_finish(struct shell *shell);
void keeping_acked(struct shell *shell, const struct effect *effect);
uint64_t keeping_reported(struct shell *shell, const struct node_id *peer,
                          const struct stream_id *stream);
void keeping_forked(struct shell *shell, const struct effect *effect);
/* The list of all equivocations known, under the key KEEPING_FORKS of the heads' table. */
void keeping_forks(struct shell *shell, struct bytes forks);
#define KEEPING_FORKS "forks"

/* The bytes kept in a stream's row. */
enum { KEEPING_STATE_SIZE = 8 + HASH_SIZE + 8 + 4 };

/* ---- loading.c ---- */

/* A short read; the answer waits in `followers`. */
void loading_read(struct shell *shell, const struct effect *effect);

/* ---- resting.c ---- */

/* Keeps how a case stands; EVENT_RESTED follows. */
void resting_keep(struct shell *shell, const struct effect *effect);
/* Gives the core an event, after it woke what the event is about. */
void resting_step(struct shell *shell, const struct event *event);
/* Wakes what the last step left asleep. The step is used for it. */
void resting_wake(struct shell *shell);
/* At the end: the next start need not put together what is awake. */
void resting_close(struct shell *shell);
void resting_free(struct shell *shell);

/* ---- erasing.c ---- */

/* Destroys what the case holds here; EVENT_DESTROYED follows. Once at a time for each case. */
void erasing_case(struct shell *shell, const struct scope *scope, const struct record_id *erase);
/* At the start: goes on with what an earlier process did not end. */
void erasing_resume(struct shell *shell);

/* ---- retracting.c ---- */

/* What a writer told a scope of a case. */
struct retraction {
    struct scope scope;
    struct node_id writer;
    struct case_id case_id;
};
enum { RETRACTION_SIZE = 1 + HASH_SIZE + NODE_ID_SIZE + HASH_SIZE };

/* Is this an announcement, or a request, of a case that its writer has erased? */
bool retracting_is_done(const struct shell *shell, const struct record_claim *claim,
                        struct bytes plaintext);
/* When this is the mirror that says so: the ops that are kept with it; else 0. They point into
 * `key`. */
size_t retracting_stage(const struct record_claim *claim, struct bytes plaintext,
                        uint8_t key[static RETRACTION_SIZE], struct store_op ops[static 2]);
/* There may be rows: one was kept, or the process has just begun. */
void retracting_wake(struct shell *shell);
/* One page, or the new store key when all is done. */
void retracting_tick(struct shell *shell);
bool retracting_waits(const struct shell *shell);

/* ---- proving.c ---- */

enum { PROVING_INTERVAL_MS = 1000 };

/* Tells the core what is kept of generations, and what the marker says; then, when it has started,
 * the file is gone on with, or begun once the store is proven. */
MUST_USE err proving_restore(struct shell *shell, enum event_marker *ret_marker);
void proving_start(struct shell *shell, enum event_marker marker);
void proving_tick(struct shell *shell);
/* A batch is durable: before anything of it leaves. */
void proving_kept(struct shell *shell, const struct step_batch *batch);
void proving_generation(struct shell *shell, const struct effect *effect);

/* ---- scrub.c ---- */

/* Goes on where the last process ended well, or begins anew. */
void scrub_start(struct shell *shell);
void scrub_tick(struct shell *shell);
/* A read met what does not open: all is looked at soon. */
void scrub_hurry(struct shell *shell);
/* What the disk lost is back: it names the one before it, which may be lost, too. */
void scrub_mended(struct shell *shell, const struct record_claim *claim);
/* The process ends well. */
void scrub_end(struct shell *shell);

/* ---- restore.c ---- */

MUST_USE err restore_all(struct shell *shell, char ret_problem[static STORE_PROBLEM_SIZE]);

#endif
