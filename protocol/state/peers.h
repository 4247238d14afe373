/* Who is connected, what may go to them, and whether this node may write. */
#ifndef CONSILIUM_PROTOCOL_STATE_PEERS_H
#define CONSILIUM_PROTOCOL_STATE_PEERS_H

#include "protocol/roster/chain.h"
#include "protocol/state/backoff.h"
#include "protocol/state/clock_check.h"
#include "protocol/step/step.h"

struct engine;

enum {
    PEER_CHECKING_MAX = 8192, /* records of one peer being checked and kept at once */
    PEER_CHECKING_SIZE_MAX = 32 * 1024 * 1024,
    PEER_LOADING_MAX = 64,
    PEER_WANTING_MAX = 64,
    COMPARED_COUNT = 2,
    SURVEY_MS_MAX = 60 * 1000,
};

/* A member at the other end of a link. */
struct peer {
    struct link_id link; /* 0: free */
    struct node_id node;
    uint32_t session; /* different for each connection since the start */
    bool is_greeted;
    bool is_heard;       /* its summary came */
    bool has_told_tails; /* it told where our streams stand with it */
    uint64_t epoch;
    struct head_id head;
    struct clock_reading clock;   /* of its last hello */
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

/* NULL when the link is not one of ours (it is gone). */
struct peer *peers_of_link(struct engine *engine, struct link_id link);
/* NULL when the node is not connected and greeted. */
struct peer *peers_of_node(struct engine *engine, const struct node_id *node);

/* One frame to one link: reserve FRAME_SIZE_MAX or less, write, hand over. */
struct buffer peers_frame(struct step *step, size_t capacity);
void peers_send(struct step *step, struct link_id link, const struct buffer *frame);

/* Something was refused: count it, tell the log. */
void peers_refuse(struct engine *engine, const struct peer *peer, struct step *step,
                  const char *event, err verdict);

/* Is it known that the store is not an older copy of itself, by the marker or from a peer? */
bool peers_is_proven(const struct engine *engine);

/* How many others have to agree with us: two, or all if there are fewer. */
uint32_t peers_compared_needed(const struct engine *engine);
/* Is any other member admitted? */
bool peers_has_others(const struct engine *engine);

/* May keys leave at all? Not before heads were compared, nor while the roster is behind. */
bool peers_may_release_keys(const struct engine *engine);
/* And to this peer? Its last head must be one of ours: whose chain has left ours, or is not known
 * here, gets header and signature. */
bool peers_may_release_to(const struct engine *engine, const struct peer *peer);

/* Was the node started just now, so that those who are connected may still have to tell us what we
 * wrote and lost (an older copy of the store was put back)? */
bool peers_is_surveying(const struct engine *engine);

/* May we write? OK, ERR_BUSY (compare first), ERR_FUTURE (our clock is in doubt), ERR_FULL. */
MUST_USE err peers_may_post(const struct engine *engine);

#endif
