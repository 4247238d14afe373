/* One federation of this node: carries out what the core decides, and tells it what happened.
 *
 * The shell owns the core, the store and the roster of one federation, and the workers that check
 * and seal. Everything here runs on the main loop; nothing blocks but short reads of the store.
 *
 *   links.h     who is connected, and by which way        frames in and out
 *   workers     checks of signatures and bodies            EFFECT_CHECK -> EVENT_CHECKED
 *   store       group commits, short reads                 EFFECT_KEEP, EFFECT_LOAD
 *   roster_sync.h     roster heads, over links and in the store  EFFECT_HEADS -> EVENT_ROSTER
 *   items.h     chunks of case files                       FRAME_ITEM_*
 *   service.h      what people do, as records                 EVENT_POST <- local API */
#ifndef CONSILIUM_NODE_RUNTIME_RUNTIME_H
#define CONSILIUM_NODE_RUNTIME_RUNTIME_H

#include <uv.h>

#include "node/os/secure_arena.h"
#include "node/os/workers.h"
#include "protocol/engine/engine.h"
#include "store/store.h"

struct runtime;

/* Borrowed until runtime_close, but for what is said to be copied. */
struct runtime_config {
    const char *name; /* of the federation, as in the configuration file; copied */
    const char *data; /* directory of this federation's store; copied */
    struct federation_id federation;
    struct node_id self;
    const uint8_t *sign_secret; /* 64 bytes, in locked memory */
    const uint8_t *store_key;   /* 32 bytes, in locked memory */
    uv_loop_t *loop;
    struct workers *workers;
    bool grants_by_hand;
    uint64_t quota;
    uint64_t survey_ms;     /* as engine_config */
    const char *marker;     /* a file outside of backups (rollback_guard.h); NULL: none; copied */
    const char *recordings; /* a directory for one (recording.h); NULL: none; for the call */
};

/* Opens the store, restores roster and core from it, and starts. `ret_problem` gets one line that
 * says what to do when it fails. Errors as store_open, and ERR_CORRUPT. */
MUST_USE err runtime_open(const struct runtime_config *config,
                          char ret_problem[static STORE_PROBLEM_SIZE],
                          struct runtime **ret_runtime);
/* Finishes what is being kept and answers who waits, then closes; no news come any more. Accepts
 * NULL. */
void runtime_close(struct runtime *runtime);

/* Read only, and only on the loop. */
const struct engine *runtime_engine(const struct runtime *runtime);
const struct roster *runtime_roster(const struct runtime *runtime);
struct store *runtime_store(struct runtime *runtime);
uint32_t runtime_heads_refused(const struct runtime *runtime); /* as roster_sync_refused */
MUST_USE err runtime_heal(struct runtime *runtime,
                          const char *fingerprint); /* as roster_sync_heal */
bool runtime_healing(const struct runtime *runtime, struct head_id *ret_id,
                     uint64_t *ret_epoch); /* as roster_sync_healing */
const struct runtime_config *runtime_settings(const struct runtime *runtime);

/* ---- writing a record ---- */

struct runtime_post {
    struct scope scope;
    enum audience audience;
    struct bytes plaintext; /* statement_write's; copied */
    struct wall expires;    /* 0: never */
};

/* What became of it: OK means durable here. */
struct runtime_done {
    err verdict;
    struct record_id record;
    uint64_t sequence;
};

/* Calls `on_done` exactly once, later or at once. Posts wait their turn (a stream takes one at a
 * time); ERR_BUSY comes only when more than 256 wait. Verdicts as publish_post. */
void runtime_post(struct runtime *runtime, const struct runtime_post *post,
                  void (*on_done)(void *arg, const struct runtime_done *done), void *arg);

/* ---- rows of the node's other rooms: drafts, accounts, audit entries ---- */

struct runtime_keep {
    const struct store_op *ops; /* with all they point at: copied */
    size_t op_count;
    enum store_urgency urgency;
    void (*on_done)(void *arg, err result); /* NULL: nobody waits */
    void *arg;
};
/* Calls `on_done` exactly once, later: OK means durable; else nothing of the batch was done. The
 * shell keeps what the store has no room to queue, so ERR_BUSY comes only when it closes. */
void runtime_keep(struct runtime *runtime, const struct runtime_keep *keep);

/* A token for item_file_create and item_file_write, whose result then comes to `on_done`. When the
 * call itself failed, nothing comes: give the token back with runtime_forget. */
uint64_t runtime_await(struct runtime *runtime, void (*on_done)(void *arg, err result), void *arg);
void runtime_forget(struct runtime *runtime, uint64_t token);

/* The audit log (audit.h), made by runtime_open and freed by runtime_close. The shell puts an entry
 * for each GRANT of its own into the batch that keeps it: audit_stage, then audit_settle. */
struct audit;
struct audit *runtime_audit(struct runtime *runtime);

/* Up to which sequence `peer` reported our own `stream` durable; 0 when nothing was heard. */
uint64_t runtime_acked(struct runtime *runtime, const struct node_id *peer,
                       const struct stream_id *stream);

/* A case as this node knows it, awake or at rest; NULL when it does not. Borrowed until the next
 * step, or the fourth call after this one for another case. */
const struct consult *runtime_case(struct runtime *runtime, const struct case_id *case_id);

/* ---- links tell what happens ---- */

void runtime_link_up(struct runtime *runtime, struct link_id link,
                     const struct transport_key *peer);
void runtime_link_down(struct runtime *runtime, struct link_id link);
void runtime_frame(struct runtime *runtime, struct link_id link, struct bytes frame);
void runtime_relay_head(struct runtime *runtime, uint64_t epoch, const struct head_id *head);

/* How the shell sends. `send` answers ERR_BUSY when the link's queue is full; the shell then keeps
 * the frame and sends it after runtime_link_drained. */
struct runtime_links {
    err (*send)(void *arg, struct link_id link, struct bytes frame);
    void (*hang_up)(void *arg, struct link_id link);
    void (*roster_changed)(void *arg); /* whom to dial and to admit may have changed */
    void *arg;
};
void runtime_attach_links(struct runtime *runtime, const struct runtime_links *links);
void runtime_link_drained(struct runtime *runtime, struct link_id link);

/* FRAME_ITEM_* frames go to the items room (items.h); it answers by runtime_send_frame. */
struct runtime_items {
    void (*on_frame)(void *arg, struct link_id link, struct bytes frame);
    void *arg;
};
void runtime_attach_items(struct runtime *runtime, const struct runtime_items *items);
void runtime_send_frame(struct runtime *runtime, struct link_id link, struct bytes frame);
/* Bytes that wait for a link because it takes no more now. Over 16 MiB it is hung up. */
size_t runtime_unsent(const struct runtime *runtime, struct link_id link);

/* ---- news ---- */

/* One durable record, by id; `kind` is 0 when its body is not readable here. Several listeners. */
struct runtime_news {
    struct scope scope;
    struct record_id record;
    struct node_id writer;
    uint16_t kind;
};
void runtime_listen(struct runtime *runtime,
                    void (*on_news)(void *arg, const struct runtime_news *news), void *arg);
/* No more news to the listener with this `arg`. */
void runtime_unlisten(struct runtime *runtime, const void *arg);

/* The roster took a head (from a link, an invitation file, or a publisher): tell the core. */
void runtime_roster_changed(struct runtime *runtime);

/* Whose store it is: a hash over federation and node_id. */
struct hash runtime_owner(const struct federation_id *federation, const struct node_id *self);

/* The clocks that the core is told. */
struct wall runtime_wall(void);
struct mono runtime_mono(void);

#endif
