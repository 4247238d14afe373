/* One federation of this node: carries out what the core decides, and tells it what happened.
 *
 * The shell owns the core, the store and the roster of one federation, and the workers that check
 * and seal. Everything here runs on the main loop; nothing blocks but short reads of the store.
 *
 *   links.h     who is connected, and by which way        frames in and out
 *   workers     checks of signatures and bodies            EFFECT_CHECK -> EVENT_CHECKED
 *   store       group commits, short reads                 EFFECT_KEEP, EFFECT_LOAD
 *   heads.h     roster heads, over links and in the store  EFFECT_HEADS -> EVENT_ROSTER
 *   items.h     chunks of case files                       FRAME_ITEM_*
 *   desk.h      what people do, as records                 EVENT_POST <- local API */
#ifndef CONSILIUM_NODE_FEDERATION_SHELL_H
#define CONSILIUM_NODE_FEDERATION_SHELL_H

#include <uv.h>

#include "node/io/secrets.h"
#include "node/io/workers.h"
#include "protocol/core/core.h"
#include "store/store.h"

struct shell;

/* Borrowed until shell_close, but for what is said to be copied. */
struct shell_config {
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
    uint64_t survey_ms;     /* as core_config */
    const char *marker;     /* a file outside of backups (marker.h); NULL: none; copied */
    const char *recordings; /* a directory for one (recording.h); NULL: none; for the call */
};

/* Opens the store, restores roster and core from it, and starts. `ret_problem` gets one line that
 * says what to do when it fails. Errors as store_open, and ERR_CORRUPT. */
MUST_USE err shell_open(const struct shell_config *config,
                        char ret_problem[static STORE_PROBLEM_SIZE], struct shell **ret_shell);
/* Finishes what is being kept and answers who waits, then closes; no news come any more. Accepts
 * NULL. */
void shell_close(struct shell *shell);

/* Read only, and only on the loop. */
const struct core *shell_core(const struct shell *shell);
const struct roster *shell_roster(const struct shell *shell);
struct store *shell_store(struct shell *shell);
uint32_t shell_heads_refused(const struct shell *shell);               /* as heads_refused */
MUST_USE err shell_heal(struct shell *shell, const char *fingerprint); /* as heads_heal */
bool shell_healing(const struct shell *shell, struct head_id *ret_id,
                   uint64_t *ret_epoch); /* as heads_healing */
const struct shell_config *shell_settings(const struct shell *shell);

/* ---- writing a record ---- */

struct shell_post {
    struct scope scope;
    enum audience audience;
    struct bytes plaintext; /* statement_write's; copied */
    struct wall expires;    /* 0: never */
};

/* What became of it: OK means durable here. */
struct shell_done {
    err verdict;
    struct record_id record;
    uint64_t sequence;
};

/* Calls `on_done` exactly once, later or at once. Posts wait their turn (a stream takes one at a
 * time); ERR_BUSY comes only when more than 256 wait. Verdicts as publish_post. */
void shell_post(struct shell *shell, const struct shell_post *post,
                void (*on_done)(void *arg, const struct shell_done *done), void *arg);

/* ---- rows of the node's other rooms: drafts, accounts, audit entries ---- */

struct shell_keep {
    const struct store_op *ops; /* with all they point at: copied */
    size_t op_count;
    enum store_urgency urgency;
    void (*on_done)(void *arg, err result); /* NULL: nobody waits */
    void *arg;
};
/* Calls `on_done` exactly once, later: OK means durable; else nothing of the batch was done. The
 * shell keeps what the store has no room to queue, so ERR_BUSY comes only when it closes. */
void shell_keep(struct shell *shell, const struct shell_keep *keep);

/* A token for item_file_create and item_file_write, whose result then comes to `on_done`. When the
 * call itself failed, nothing comes: give the token back with shell_forget. */
uint64_t shell_await(struct shell *shell, void (*on_done)(void *arg, err result), void *arg);
void shell_forget(struct shell *shell, uint64_t token);

/* The audit log (audit.h), made by shell_open and freed by shell_close. The shell puts an entry for
 * each GRANT of its own into the batch that keeps it: audit_stage, then audit_settle. */
struct audit;
struct audit *shell_audit(struct shell *shell);

/* Up to which sequence `peer` reported our own `stream` durable; 0 when nothing was heard. */
uint64_t shell_acked(struct shell *shell, const struct node_id *peer,
                     const struct stream_id *stream);

/* A case as this node knows it, awake or at rest; NULL when it does not. Borrowed until the next
 * step, or the fourth call after this one for another case. */
const struct consult *shell_case(struct shell *shell, const struct case_id *case_id);

/* ---- links tell what happens ---- */

void shell_link_up(struct shell *shell, struct link_id link, const struct transport_key *peer);
void shell_link_down(struct shell *shell, struct link_id link);
void shell_frame(struct shell *shell, struct link_id link, struct bytes frame);
void shell_relay_head(struct shell *shell, uint64_t epoch, const struct head_id *head);

/* How the shell sends. `send` answers ERR_BUSY when the link's queue is full; the shell then keeps
 * the frame and sends it after shell_link_drained. */
struct shell_links {
    err (*send)(void *arg, struct link_id link, struct bytes frame);
    void (*hang_up)(void *arg, struct link_id link);
    void (*roster_changed)(void *arg); /* whom to dial and to admit may have changed */
    void *arg;
};
void shell_attach_links(struct shell *shell, const struct shell_links *links);
void shell_link_drained(struct shell *shell, struct link_id link);

/* FRAME_ITEM_* frames go to the items room (items.h); it answers by shell_send_frame. */
struct shell_items {
    void (*on_frame)(void *arg, struct link_id link, struct bytes frame);
    void *arg;
};
void shell_attach_items(struct shell *shell, const struct shell_items *items);
void shell_send_frame(struct shell *shell, struct link_id link, struct bytes frame);
/* Bytes that wait for a link because it takes no more now. Over 16 MiB it is hung up. */
size_t shell_unsent(const struct shell *shell, struct link_id link);

/* ---- news ---- */

/* One durable record, by id; `kind` is 0 when its body is not readable here. Several listeners. */
struct shell_news {
    struct scope scope;
    struct record_id record;
    struct node_id writer;
    uint16_t kind;
};
void shell_listen(struct shell *shell, void (*on_news)(void *arg, const struct shell_news *news),
                  void *arg);
/* No more news to the listener with this `arg`. */
void shell_unlisten(struct shell *shell, const void *arg);

/* The roster took a head (from a link, an invitation file, or a publisher): tell the core. */
void shell_roster_changed(struct shell *shell);

/* Whose store it is: a hash over federation and node_id. */
struct hash shell_owner(const struct federation_id *federation, const struct node_id *self);

/* The clocks that the core is told. */
struct wall shell_wall(void);
struct mono shell_mono(void);

#endif
