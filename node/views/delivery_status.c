#include "node/views/delivery_status.h"

#include <string.h>

#include "protocol/roster/roster_entitled.h"

struct delivery_status_count {
    struct runtime *runtime;
    const struct record_claim *claim;
    struct delivery_status reach;
};

static void delivery_status_add(struct delivery_status_count *count, const struct node_id *node)
{
    const struct record_header *header = &count->claim->header;
    if (ID_EQUAL(*node, runtime_settings(count->runtime)->self))
        return;
    count->reach.audience++;
    if (runtime_acked(count->runtime, node, &header->stream) >= header->sequence)
        count->reach.reached++;
}

/* Whom it reached once is told for good, whatever became of them: this is asked of a member that
 * may not get it now. Not reached is who holds it without its key: a member that came to the board
 * after it, or was cooling off since before it. */
static bool delivery_status_was(const struct delivery_status_count *count,
                                const struct roster_entry *entry, err entitled)
{
    const struct roster *roster = runtime_roster(count->runtime);
    const struct record_header *header = &count->claim->header;
    const struct chain_link *head = chain_find(&roster->chain, &header->head);
    const int board = roster_board(roster, &header->stream.scope);
    uint64_t since = 0;
    if (runtime_acked(count->runtime, &entry->node_id, &header->stream) < header->sequence)
        return false;
    if (head == NULL || header->audience == AUDIENCE_CLEAR)
        return true;
    if (board >= 0) {
        struct member whole;
        roster_member(roster, entry, &whole);
        since = member_serves_since(&whole, roster_settings(roster)->boards[board].tag);
    }
    bool has_changed =
        entry->state_since_epoch > head->epoch || entry->keys_since_epoch > head->epoch;
    return since <= head->epoch && (entitled != ERR_COOLING_OFF || has_changed);
}

static void delivery_status_members(struct delivery_status_count *count)
{
    const struct roster *roster = runtime_roster(count->runtime);
    const struct record_header *header = &count->claim->header;
    for (uint32_t i = 0; i < roster_count(roster); i++) {
        const struct roster_entry *entry = roster_at(roster, i);
        err entitled = header->stream.scope.kind == SCOPE_BOARD
                           ? roster_entitled_board(roster, &entry->node_id, &header->stream.scope,
                                                   &header->head, runtime_wall())
                           : roster_entitled_member(roster, &entry->node_id, runtime_wall());
        if (entitled == OK || delivery_status_was(count, entry, entitled))
            delivery_status_add(count, &entry->node_id);
    }
}

static void delivery_status_case(struct delivery_status_count *count)
{
    struct case_id case_id;
    memcpy(case_id.bytes, count->claim->header.stream.scope.id, HASH_SIZE);
    const struct consult *consult = runtime_case(count->runtime, &case_id);
    if (consult == NULL)
        return;
    struct consult_record record =
        consult_record_of(&count->claim->header, &count->claim->id, NULL);
    if (!ID_IS_ZERO(consult->requester))
        delivery_status_add(count, &consult->requester);
    for (size_t i = 0; i < consult->participant_count; i++) {
        const struct consult_participant *participant = &consult->participants[i];
        if (consult_entitled(consult, &participant->node, &record, runtime_wall()))
            delivery_status_add(count, &participant->node);
    }
}

struct delivery_status delivery_status_of(struct runtime *runtime, const struct record_claim *claim)
{
    struct delivery_status_count count = {.runtime = runtime, .claim = claim};
    struct node_id recipient;
    if (!ID_EQUAL(claim->header.stream.writer, runtime_settings(runtime)->self))
        return count.reach;
    switch (claim->header.stream.scope.kind) {
    case SCOPE_FEDERATION:
    case SCOPE_BOARD:
        delivery_status_members(&count);
        break;
    case SCOPE_CASE:
        delivery_status_case(&count);
        break;
    case SCOPE_MAIL:
        memcpy(recipient.bytes, claim->header.stream.scope.id, NODE_ID_SIZE);
        delivery_status_add(&count, &recipient);
        break;
    }
    return count.reach;
}
