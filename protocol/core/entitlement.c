#include "protocol/core/entitlement.h"

#include <string.h>

#include "protocol/core/casework.h"
#include "protocol/core/core_state.h"
#include "protocol/core/equivocation.h"

static struct case_id entitlement_case(const struct scope *scope)
{
    struct case_id case_id;
    memcpy(case_id.bytes, scope->id, HASH_SIZE);
    return case_id;
}

static struct node_id entitlement_recipient(const struct scope *scope)
{
    struct node_id node;
    memcpy(node.bytes, scope->id, NODE_ID_SIZE);
    return node;
}

bool entitlement_has_place(const struct core *core, const struct scope *scope,
                           const struct node_id *writer)
{
    if (roster_find(core->roster, writer) == NULL)
        return false;
    switch (scope->kind) {
    case SCOPE_FEDERATION:
        return true;
    case SCOPE_BOARD:
        return roster_board(core->roster, scope) >= 0;
    case SCOPE_CASE: {
        /* our own first record makes the case known here */
        struct case_id case_id = entitlement_case(scope);
        return ID_EQUAL(*writer, core->config.self) || casework_includes(core, &case_id, writer);
    }
    case SCOPE_MAIL: {
        struct node_id recipient = entitlement_recipient(scope);
        return ID_EQUAL(recipient, core->config.self) ||
               (ID_EQUAL(*writer, core->config.self) &&
                roster_find(core->roster, &recipient) != NULL);
    }
    }
    return false;
}

err entitlement_write(const struct core *core, const struct record_header *header,
                      struct sign_key *ret_key)
{
    const struct stream_id *stream = &header->stream;
    const struct roster_entry *member = roster_find(core->roster, &stream->writer);
    struct cut cut;
    if (member == NULL || member->state == MEMBER_SUSPENDED)
        return ERR_UNKNOWN_MEMBER;
    /* (T-6) */
    if (member->state == MEMBER_REMOVED &&
        (!roster_cut(core->roster, stream, &cut) || header->sequence > cut.sequence))
        return ERR_BEYOND_CUT;
    if (equivocation_is_frozen(core, &stream->writer)) /* (T-7) */
        return ERR_FORKED;
    if (!entitlement_has_place(core, &stream->scope, &stream->writer))
        return ERR_NOT_ENTITLED;
    *ret_key = member->sign_key;
    return OK;
}

/* (W-7) */
bool entitlement_shares(const struct core *core, const struct node_id *node,
                        const struct stream_id *stream)
{
    const struct scope *scope = &stream->scope;
    const struct roster_entry *member = roster_find(core->roster, node);
    if (member == NULL || member->state != MEMBER_ADMITTED)
        return false;
    if (ID_EQUAL(stream->writer, *node))
        return true;
    switch (scope->kind) {
    case SCOPE_FEDERATION:
        return true;
    case SCOPE_BOARD:
        return roster_serves(core->roster, member, scope);
    case SCOPE_CASE: {
        struct case_id case_id = entitlement_case(scope);
        return casework_includes(core, &case_id, node);
    }
    case SCOPE_MAIL: {
        struct node_id recipient = entitlement_recipient(scope);
        return ID_EQUAL(recipient, *node);
    }
    }
    return false;
}

err entitlement_read(const struct core *core, const struct node_id *node,
                     const struct record_claim *claim)
{
    const struct record_header *header = &claim->header;
    const struct scope *scope = &header->stream.scope;
    if (ID_EQUAL(header->stream.writer, *node))
        return OK;
    if (header->audience == AUDIENCE_CLEAR)
        return entitlement_shares(core, node, &header->stream) ? OK : ERR_NOT_ENTITLED;
    if (scope->kind == SCOPE_BOARD)
        return roster_entitled_board(core->roster, node, scope, &header->head, core->wall);
    err failure = roster_entitled_member(core->roster, node, core->wall);
    if (failure != OK)
        return failure;
    if (scope->kind == SCOPE_CASE)
        return casework_may_read(core, node, claim);
    return entitlement_shares(core, node, &header->stream) ? OK : ERR_NOT_ENTITLED;
}
