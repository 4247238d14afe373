/* The roster of a node: the chain of heads, and the members, settings and cuts of the last head
 * whose content is known.
 *
 * A head is first known (in `chain`), then filled: its content is accepted when it reproduces every
 * root that the head names. `roster_apply` does both or neither. While a known head lacks its
 * content (`roster_is_behind`) the node releases no keys.
 *
 * Each change is built separately and replaces the content in force only when proved, so a failure
 * changes nothing. The caller gives all memory once. Returned spans and entries borrow from the
 * roster until the next roster_apply, _fill, _heal or roster_export_read. Access:
 * roster_entitled.h; sending: roster_snapshot.h; storing: roster_export.h. */
#ifndef CONSILIUM_PROTOCOL_ROSTER_ROSTER_H
#define CONSILIUM_PROTOCOL_ROSTER_ROSTER_H

#include "protocol/base/scope.h"
#include "protocol/member/cuts.h"
#include "protocol/member/member.h"
#include "protocol/member/settings.h"
#include "protocol/member/transport_list.h"
#include "protocol/roster/chain.h"
#include "protocol/roster/delta.h"

/* The fields of a member that are in memory without unpacking its entry. Read only. */
struct roster_entry {
    struct node_id node_id;
    struct sign_key sign_key;
    struct transport_key transport_key;
    enum member_state state;
    uint64_t admitted_epoch;
    uint64_t state_since_epoch;
    uint64_t keys_since_epoch;
    bool keys_proved; /* this node checked the old key's signature over the last key change */
    struct node_id successor;
    uint64_t boards;        /* bit i: serves board i of the settings, or a prefix of it */
    uint32_t packed_offset; /* of the packed entry in the roster's memory */
    uint32_t packed_size;
};

/* The capacity of a roster; each number bounds what remote parties can make it store. */
struct roster_plan {
    uint32_t member_count;      /* at most MEMBER_COUNT_MAX */
    uint32_t member_bytes;      /* of all packed entries together; 200 to 300 per member is usual */
    uint32_t cut_count;         /* at most CUT_COUNT_MAX */
    uint32_t head_count;        /* at most HEAD_COUNT_MAX */
    uint32_t officer_set_count; /* at most OFFICER_SET_COUNT_MAX */
};

/* For a daemon: 8,192 members, 8 MiB of entries, 65,536 cuts. It reserves about 40 MB of addresses
 * and touches only the pages that it uses. For simulations: roster_plan_small. */
struct roster_plan roster_plan_full(void);
/* 64 members, 32 KiB of entries, 256 cuts, 256 heads. */
struct roster_plan roster_plan_small(void);

/* The content of one head. */
struct roster_side {
    struct roster_entry *entries; /* by node_id, ascending */
    struct hash *leaves;          /* merkle leaf of each entry */
    uint16_t *by_transport;       /* indexes into entries, ascending by transport_key */
    uint16_t *by_sign;
    uint8_t *packed;
    uint8_t *transport_list;
    uint8_t *cuts;
    uint8_t *settings_packed;
    struct scope *board_scopes; /* of the settings' boards, in their order */
    uint32_t member_count;
    uint32_t packed_size;
    uint32_t transport_list_size;
    uint32_t cuts_size;
    uint32_t settings_size;
    struct settings settings; /* borrows settings_packed */
    struct roster_head head;
    struct head_id id;
};

struct roster {
    struct roster_plan plan;
    struct node_id self;
    uint64_t self_admitted_epoch; /* of the first head that admitted self; 0 before */
    struct chain chain;
    bool filled; /* the content of a head is known: sides[current] */
    uint32_t current;
    struct roster_side sides[2]; /* in force, and under construction */
    /* A lower cooling-off is in force only after the higher one has passed since it arrived. */
    uint64_t held_cooling_off_ms;
    struct wall held_until;
};

size_t roster_size(const struct roster_plan *plan);

/* Places the roster in `memory`: roster_size bytes, aligned to 16, which must live as long as the
 * roster and need not be zeroed. `federation` NULL or zeros: accept the first founding head. `self`
 * zeros: no member (the society's tools, verifiers). */
void roster_init(struct roster *roster, const struct roster_plan *plan, void *memory,
                 const struct node_id *self, const struct federation_id *federation);

/* ---- changing it ---- */

/* Accepts a signed head that continues the last known one, with its content, and puts both in
 * force. `delta->base` is the head in force (or zeros: a snapshot). `received` is the time of
 * durable receipt, from which cooling-off counts; a caller that cannot make it durable restores its
 * last export. Nothing changes unless OK.
 *
 *   as chain_learn for the head, and for the content:
 *   ERR_BAD_HASH      a root is not reproduced: ask another peer for the content
 *   ERR_OUT_OF_ORDER  the delta starts at another head: ask for a snapshot
 *   ERR_MALFORMED     a signed change breaks a rule (an earlier date, a key used twice, a removed
 *                     member restored ...): keep as proof, show; the officers must correct it
 *   ERR_FULL          more than the plan allows */
MUST_USE err roster_apply(struct roster *roster, struct bytes signed_head,
                          const struct delta *delta, struct wall received);

/* Accepts the head alone, for synchronisation; see chain_learn. Afterwards the roster may be
 * behind. */
MUST_USE err roster_learn(struct roster *roster, struct bytes signed_head, struct wall received);

/* Accepts the content of the last known head: a delta from the head in force, or a snapshot. */
MUST_USE err roster_fill(struct roster *roster, const struct delta *delta);

/* Accepts a healing head that an administrator confirmed, with a snapshot; see chain_heal. */
MUST_USE err roster_heal(struct roster *roster, struct bytes signed_head,
                         const struct delta *snapshot, struct wall received);

/* Drafts the next head, for the society's tools: `ret_head` gets epoch, previous, federation, and
 * the roots and hashes of the content in force changed by `items`. The caller fills officers, dates
 * and heals. Errors as for the content above. */
MUST_USE err roster_draft(struct roster *roster, struct bytes items, struct roster_head *ret_head);

/* The same for a head that heals a split: `snapshot` holds all members of both sides; those that
 * differ have the epoch of the healing head (one above both) as their date. */
struct roster_split {
    struct head_id common; /* the last head that both sides have */
    struct head_id other;  /* the last head of the other side; this side's is the one in force */
    uint64_t other_epoch;
};
MUST_USE err roster_draft_healing(struct roster *roster, struct bytes snapshot,
                                  const struct roster_split *split, struct roster_head *ret_head);

/* ---- reading it ---- */

/* True when a known head lacks its content, or no head is known. */
bool roster_is_behind(const struct roster *roster);

/* The head in force; NULL when none. */
const struct roster_head *roster_current_head(const struct roster *roster);
struct head_id roster_current_id(const struct roster *roster);
const struct settings *roster_settings(const struct roster *roster);
/* The cooling-off in force now: that of the settings, or a higher one that they lowered
 * recently. */
uint64_t roster_cooling_off_ms(const struct roster *roster, struct wall now);
struct federation_id roster_federation(const struct roster *roster);
bool roster_expired(const struct roster *roster, struct wall now);

uint32_t roster_count(const struct roster *roster);
/* `index` < roster_count; by node_id, ascending: the order of bitmaps. */
const struct roster_entry *roster_at(const struct roster *roster, uint32_t index);
uint32_t roster_index(const struct roster *roster, const struct roster_entry *entry);

/* NULL when the roster does not list it; found in any state. */
const struct roster_entry *roster_find(const struct roster *roster, const struct node_id *node_id);
/* The key with which the member signs records that name this head. NULL: it is not listed, or it
 * has another key since. */
const struct sign_key *roster_signer(const struct roster *roster, const struct node_id *node_id,
                                     const struct head_id *head);
const struct roster_entry *roster_find_transport(const struct roster *roster,
                                                 const struct transport_key *key);
const struct roster_entry *roster_find_sign(const struct roster *roster,
                                            const struct sign_key *key);

/* The whole entry, unpacked; its spans borrow from the roster. */
void roster_member(const struct roster *roster, const struct roster_entry *entry,
                   struct member *ret_member);
/* Its name, for logs and display; borrows. */
struct bytes roster_name(const struct roster *roster, const struct roster_entry *entry);
/* Merkle leaves of all entries, in their order; for inclusion.c. */
const struct hash *roster_leaves(const struct roster *roster);
struct bytes roster_packed(const struct roster *roster, const struct roster_entry *entry);

/* NULL when the settings list no such relay. */
const struct settings_relay *roster_relay(const struct roster *roster,
                                          const struct transport_key *key);

/* Index of the board in the settings, or -1. */
int roster_board(const struct roster *roster, const struct scope *scope);
int roster_board_of_tag(const struct roster *roster, struct bytes tag);
struct scope roster_board_scope(const struct roster *roster, uint32_t board);

/* True when the member serves the board of `scope`: the board's tag or a prefix of it. This does
 * not mean access. */
bool roster_serves(const struct roster *roster, const struct roster_entry *entry,
                   const struct scope *scope);

/* False when the stream is not cut. */
bool roster_cut(const struct roster *roster, const struct stream_id *stream, struct cut *ret_cut);

/* Packed lists in force, borrowed. */
struct bytes roster_transport_list(const struct roster *roster);
struct bytes roster_cuts(const struct roster *roster);
struct bytes roster_settings_packed(const struct roster *roster);

#endif
