/* What the core remembers; for its own rooms only. */
#ifndef CONSILIUM_PROTOCOL_ENGINE_ENGINE_STATE_H
#define CONSILIUM_PROTOCOL_ENGINE_ENGINE_STATE_H

#include "protocol/cases/case_table.h"
#include "protocol/custody/custody_outbox.h"
#include "protocol/custody/custody_pickup.h"
#include "protocol/custody/custody_store.h"
#include "protocol/custody/mailbox_keys.h"
#include "protocol/engine/engine.h"
#include "protocol/engine/notice.h"
#include "protocol/replication/backoff.h"
#include "protocol/replication/peer_progress.h"
#include "protocol/replication/streams.h"
#include "protocol/replication/writer_quota.h"
#include "protocol/roster/roster_entitled.h"
#include "protocol/wire/frame.h"

enum {
    PEER_CHECKING_MAX = 8192, /* records of one peer being checked and kept at once */
    PEER_CHECKING_SIZE_MAX = 32 * 1024 * 1024,
    PEER_LOADING_MAX = 64,
    PEER_WANTING_MAX = 64,
    SUMMARY_INTERVAL_MS = 30 * 1000,
    WANT_TIMEOUT_MS = 10 * 1000,
    MISSING_RETRY_MS = 1000, /* and twice as long each time */
    MISSING_RETRY_MS_MAX = 30 * 1000,
    CUT_OFF_MS = 24 * 60 * 60 * 1000, /* alone for so long: heads are compared anew */
    COMPARED_COUNT = 2,
    SPOILED_MS = 60 * 1000,
    SURVEY_MS_MAX = 60 * 1000,
    LOST_COUNT_MAX = 1024, /* slots of our own streams in cases that are not here */
    FORK_COUNT_MAX = 256,  /* forked streams that are remembered by name */
    MISSING_LOOK_MS = 1000,
    FULL_RETRY_MS = 10 * 1000,
};

/* A member at the other end of a link. */
struct peer {
    struct link_id link; /* 0: free */
    struct node_id node;
    uint32_t session; /* different for each connection since the start */
    bool is_greeted;
    bool is_skewed;
    bool is_heard;    /* its summary came */
    bool is_surveyed; /* it told where our streams stand with it */
    uint64_t epoch;
    struct head_id head;
    enum chain_relation relation; /* of its last head to ours; meaningful when greeted */
    uint32_t checking;
    uint32_t checking_size;
    uint32_t loading;
    uint32_t wanting;
    struct mono summary_at;
    struct mono greet_again_at; /* not before: an answer to who greets or talks out of turn */
    uint32_t retracted;         /* up to this stream it was told what is not to be held any more */
    uint32_t listing;           /* the next stream to list for it; STREAM_NONE: none under way */
    bool is_listing_its_own;    /* only those that it writes itself */
    struct backoffs backoffs;   /* where something of it was refused */
};

/* A stream in which its writer said two things at one position. */
struct engine_fork {
    struct stream_id stream;
    uint64_t epoch; /* the later of the heads that the two records name */
};

/* What is known of our own store and of generations (generation.h). */
struct generations {
    bool is_proven;       /* the store is not an older copy, or enough told what they hold of us */
    bool has_marker;      /* it names all of our streams */
    bool is_restored;     /* the store was put back to an earlier day */
    bool was_restored;    /* once */
    struct mono heard_at; /* when a peer last told, the first time since it is connected */
    uint32_t telling;     /* the next slot whose end may have to be kept */
    uint32_t heard_count;
    struct node_id heard[LINK_COUNT_MAX]; /* who has told since the start where we stand with it */
};

struct engine {
    struct engine_config config;
    struct roster *roster;
    struct streams streams;
    struct peer_progress marks;
    struct clinicians clinicians;
    struct writer_quota writer_quota;
    struct peer peers[LINK_COUNT_MAX];
    uint32_t session_last;
    struct mono now;
    struct wall wall;
    bool is_started;
    bool is_replaying_again;
    bool is_obeying; /* what is said stands in no stream here */
    bool is_full;
    struct mono full_until; /* then the disk is tried again */
    bool is_relay_compared;
    bool hands_keys; /* in the last step */
    struct node_id
        compared[COMPARED_COUNT]; /* whose head was ours, or one of ours, since the start */
    uint32_t compared_count;
    struct mono alone_since; /* 0: somebody is connected, or nobody ever was */
    struct mono missing_at;  /* when lacks are looked through again */
    uint64_t refused;
    uint32_t lost_count;
    uint32_t fork_count;
    struct engine_fork forks[FORK_COUNT_MAX];
    bool has_unkept_forks; /* found among the records at the start */
    struct mono started_at;
    struct generations generations;
    struct notices notices;
    struct case_table *case_table;
    struct case_retry *case_retry;
    struct case_paging *case_paging;
    struct mailbox_keys mailbox_keys;
    struct custody_store custody;
    struct custody_outbox custody_outbox;
    struct custody_pickup collection;
};

/* What is told at the start, before EVENT_START. */
void engine_restore(struct engine *engine, const struct event *event);

/* NULL when the link is not one of ours (it is gone). */
struct peer *engine_peer_of_link(struct engine *engine, struct link_id link);
/* NULL when the node is not connected and greeted. */
struct peer *engine_peer_of_node(struct engine *engine, const struct node_id *node);

/* One frame to one link: reserve FRAME_SIZE_MAX or less, write, hand over. */
struct buffer engine_frame(struct step *step, size_t capacity);
void engine_send(struct step *step, struct link_id link, const struct buffer *frame);

/* Something was refused: count it, tell the log. */
void engine_refuse(struct engine *engine, const struct peer *peer, struct step *step,
                   const char *event, err verdict);

/* How many others have to agree with us: two, or all if there are fewer. */
uint32_t engine_compared_needed(const struct engine *engine);
/* Is any other member admitted? */
bool engine_has_others(const struct engine *engine);

/* May keys leave at all? Not before heads were compared, nor while the roster is behind. */
bool engine_may_hand_keys(const struct engine *engine);
/* And to this peer? Its last head must be one of ours: whose chain has left ours, or is not known
 * here, gets header and signature. */
bool engine_may_hand_to(const struct engine *engine, const struct peer *peer);

/* Was the node started just now, so that those who are connected may still have to tell us what we
 * wrote and lost (an older copy of the store was put back)? */
bool engine_is_surveying(const struct engine *engine);

/* May we write? OK, ERR_BUSY (compare first), ERR_FUTURE (our clock is in doubt), ERR_FULL. */
MUST_USE err engine_may_post(const struct engine *engine);

#endif
