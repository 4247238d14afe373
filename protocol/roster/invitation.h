/* An invitation: all heads, and the roster at the last head. The society mails it to a new member.
 *
 * Binary, because it may hold thousands of heads: "consilium invitation 1\n" | federation 32 |
 * node_id of the invited 16 | head count u32 | heads (u32 size, signed head) | item size u64 |
 * items of a snapshot (delta.h). It holds no secret. The fingerprint is that of hash(FINGERPRINT;
 * federation, node_id, id of the last head). It can be issued again at any time. */
#ifndef CONSILIUM_PROTOCOL_ROSTER_INVITATION_H
#define CONSILIUM_PROTOCOL_ROSTER_INVITATION_H

#include "protocol/roster/roster.h"

/* Spans borrow from the bytes that were read. */
struct invitation {
    struct federation_id federation;
    struct node_id node_id;
    uint32_t head_count;
    struct bytes heads; /* framed; see invitation_head */
    struct bytes items;
    struct head_id last; /* id of the last head */
};

/* Checks the format only. ERR_VERSION when it is no invitation, or errors of reading. */
MUST_USE err invitation_read(struct bytes all, struct invitation *ret_invitation);

/* Reads the next head from `reader` (made by reader_of(invitation->heads)). */
struct bytes invitation_head(struct reader *reader);

/* The fingerprint that both sides display. */
struct hash invitation_fingerprint(const struct invitation *invitation);

/* Writes an invitation: _begin, then _head for each, then _end with the snapshot items of the
 * roster. */
void invitation_begin(struct buffer *buffer, const struct federation_id *federation,
                      const struct node_id *node_id, uint32_t head_count);
void invitation_add_head(struct buffer *buffer, struct bytes signed_head);
void invitation_end(struct buffer *buffer, const struct roster *roster);

/* Learns all heads and fills `roster`, which must be new: roster_init with the invited node as
 * self, and the federation named here or by the administrator. ERR_UNKNOWN_MEMBER when the invited
 * node is not admitted at the last head, else as roster_fill. After a failure some heads may be
 * learned: start again with a new roster. */
MUST_USE err invitation_accept(const struct invitation *invitation, struct roster *roster,
                               struct wall received);

#endif
