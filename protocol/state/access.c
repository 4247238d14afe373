#include "protocol/state/access.h"

#include "protocol/base/planted.h"
#include "protocol/state/engine_state.h"
#include "protocol/state/equivocation.h"

bool access_has_place(const struct engine *engine, const struct scope *scope,
                      const struct node_id *writer)
{
    if (roster_find(engine->roster, writer) == NULL)
        return false;
    switch (scope->kind) {
    case SCOPE_FEDERATION:
        return true;
    case SCOPE_BOARD:
        return roster_board(engine->roster, scope) >= 0;
    case SCOPE_CASE: {
        /* our own first record makes the case known here */
        struct case_id case_id = scope_case_id(scope);
        return ID_EQUAL(*writer, engine->config.self) || PLANTED(UNINVITED_WRITER) ||
               case_table_includes(engine, &case_id, writer);
    }
    case SCOPE_MAIL: {
        struct node_id recipient = scope_recipient(scope);
        return ID_EQUAL(recipient, engine->config.self) ||
               (ID_EQUAL(*writer, engine->config.self) &&
                roster_find(engine->roster, &recipient) != NULL);
    }
    }
    return false;
}

err access_write(const struct engine *engine, const struct record_header *header,
                 struct sign_key *ret_key)
{
    const struct stream_id *stream = &header->stream;
    const struct roster_entry *member = roster_find(engine->roster, &stream->writer);
    struct cut cut;
    if (member == NULL || member->state == MEMBER_SUSPENDED)
        return ERR_UNKNOWN_MEMBER;
    /* (T-6) */
    if (member->state == MEMBER_REMOVED && !PLANTED(CUT_IGNORED) &&
        (!roster_cut(engine->roster, stream, &cut) || header->sequence > cut.sequence))
        return ERR_BEYOND_CUT;
    if (equivocation_is_frozen(engine, &stream->writer)) /* (T-7) */
        return ERR_FORKED;
    if (!access_has_place(engine, &stream->scope, &stream->writer))
        return ERR_NOT_ENTITLED;
    *ret_key = member->sign_key;
    return OK;
}

/* (W-7) */
bool access_shares(const struct engine *engine, const struct node_id *node,
                   const struct stream_id *stream)
{
    const struct scope *scope = &stream->scope;
    const struct roster_entry *member = roster_find(engine->roster, node);
    if (member == NULL || (member->state != MEMBER_ADMITTED && !PLANTED(KEY_TO_REMOVED)))
        return false;
    if (ID_EQUAL(stream->writer, *node))
        return true;
    switch (scope->kind) {
    case SCOPE_FEDERATION:
        return true;
    case SCOPE_BOARD:
        return roster_serves(engine->roster, member, scope);
    case SCOPE_CASE: {
        struct case_id case_id = scope_case_id(scope);
        return case_table_includes(engine, &case_id, node);
    }
    case SCOPE_MAIL: {
        struct node_id recipient = scope_recipient(scope);
        return ID_EQUAL(recipient, *node) || PLANTED(MAIL_TO_ANYBODY);
    }
    }
    return false;
}

err access_read(const struct engine *engine, const struct node_id *node,
                const struct record_claim *claim)
{
    const struct record_header *header = &claim->header;
    const struct scope *scope = &header->stream.scope;
    if (ID_EQUAL(header->stream.writer, *node))
        return OK;
    if (header->audience == AUDIENCE_CLEAR)
        return access_shares(engine, node, &header->stream) ? OK : ERR_NOT_ENTITLED;
    if (scope->kind == SCOPE_BOARD)
        return roster_entitled_board(engine->roster, node, scope, &header->head, engine->wall);
    err failure = roster_entitled_member(engine->roster, node, engine->wall);
    if (failure != OK)
        return failure;
    if (scope->kind == SCOPE_CASE)
        return case_table_may_read(engine, node, claim);
    return access_shares(engine, node, &header->stream) ? OK : ERR_NOT_ENTITLED;
}
