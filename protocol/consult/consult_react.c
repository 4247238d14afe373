#include "protocol/consult/consult_react.h"

#include "protocol/consult/consult.h"
#include "protocol/contents/mail.h"

struct reaction {
    const struct consult *consult;
    const struct consult_situation *situation;
    const struct consult_record *record;
    struct consult_action *actions;
    size_t count;
};

/* Adds an action about the record and its writer. No caller below adds more than
 * CONSULT_ACTION_COUNT_MAX. */
static struct consult_action *reaction_add(struct reaction *reaction, enum consult_action_kind kind)
{
    struct consult_action *action = &reaction->actions[reaction->count++];
    *action = (struct consult_action){.kind = kind,
                                      .node = reaction->record->writer,
                                      .record = reaction->record->id,
                                      .record_kind = reaction->record->statement->kind};
    return action;
}

/* C-36: the node grants automatically up to the number of opinions wanted and up to the deadline;
 * after that, a person decides. */
static void react_join(struct reaction *reaction)
{
    const struct consult *consult = reaction->consult;
    const struct consult_situation *situation = reaction->situation;
    const struct consult_participant *known =
        consult_participant_of(consult, &reaction->record->writer);
    struct consult_view view = consult_view(consult, situation->now);
    struct mail_join join;
    if (mail_join_read(reaction->record->statement->content, &join) != OK ||
        !ID_EQUAL(join.case_id, consult->case_id) || known != NULL)
        return;
    if (!situation->grants_automatically || !situation->is_writer_admitted ||
        !situation->is_signature_good || view.is_cap_reached || view.is_overdue ||
        consult->participant_count == PARTICIPANT_COUNT_MAX ||
        consult_allows(consult, &situation->self, KIND_GRANT) != CONSULT_COUNTS)
        return;
    reaction_add(reaction, CONSULT_WRITE_GRANT)->clinician =
        reaction->record->statement->author.cert_id;
}

/* First of the actions: those after it may be put off, and the record is then looked at again. */
static void react_readers(struct reaction *reaction)
{
    if (!reaction->situation->is_again)
        reaction_add(reaction, CONSULT_CHECK_READERS);
}

static void react_mirror(struct reaction *reaction, enum mirror_what what)
{
    struct consult_action *action = reaction_add(reaction, CONSULT_WRITE_MIRROR);
    action->what = what;
    if (what == MIRROR_EXTENDED)
        action->until = reaction->consult->deadline;
}

/* A counting record is the requester's, except for releases and receipts of erasure. */
static void react_counted(struct reaction *reaction, bool is_mine)
{
    struct case_record_grant grant;
    struct case_record_grant_end end;
    struct bytes content = reaction->record->statement->content;
    switch (reaction->record->statement->kind) {
    case KIND_GRANT:
        if (case_record_grant_read(content, &grant) != OK)
            break;
        react_readers(reaction);
        if (is_mine)
            reaction_add(reaction, CONSULT_MAIL_NOTICE)->node = grant.participant;
        reaction_add(reaction, CONSULT_APPLY_AGAIN)->node = grant.participant;
        break;
    case KIND_GRANT_END:
        react_readers(reaction);
        if (case_record_grant_end_read(content, &end) == OK && end.sequence > 0)
            reaction_add(reaction, CONSULT_APPLY_AGAIN)->node = end.participant;
        break;
    case KIND_REVEAL:
    case KIND_RELEASE:
        react_readers(reaction);
        break;
    case KIND_EXTEND:
        react_readers(reaction);
        if (is_mine)
            react_mirror(reaction, MIRROR_EXTENDED);
        break;
    case KIND_CLOSE:
        if (is_mine)
            react_mirror(reaction, MIRROR_CLOSED);
        break;
    case KIND_WITHDRAW:
        if (is_mine)
            react_mirror(reaction, MIRROR_WITHDRAWN);
        break;
    case KIND_ERASE:
        reaction_add(reaction, CONSULT_DESTROY);
        if (is_mine)
            react_mirror(reaction, MIRROR_ERASED);
        else if (consult_participant_of(reaction->consult, &reaction->situation->self) != NULL)
            reaction_add(reaction, CONSULT_WRITE_ERASED);
        break;
    default: /* a raw number from a remote party, not the enum */
        break;
    }
}

size_t consult_react(const struct consult *consult, const struct consult_situation *situation,
                     const struct consult_record *record,
                     struct consult_action ret_actions[static CONSULT_ACTION_COUNT_MAX])
{
    struct reaction reaction = {consult, situation, record, ret_actions, 0};
    bool is_requester =
        !ID_IS_ZERO(consult->requester) && ID_EQUAL(consult->requester, situation->self);
    if (record->statement == NULL)
        return 0;
    if (record->statement->kind == KIND_JOIN) {
        if (is_requester)
            react_join(&reaction);
    } else if (situation->verdict == CONSULT_COUNTS) {
        react_counted(&reaction, ID_EQUAL(record->writer, situation->self));
    } else if (situation->verdict == CONSULT_AWAITS && is_requester &&
               situation->is_signature_good) {
        /* C-37: a participant's record is taken in once the clinician's signature is checked */
        reaction_add(&reaction, CONSULT_WRITE_TAKE_IN);
    }
    return reaction.count;
}
