#include "protocol/core/casework.h"

#include <string.h>

#include "protocol/consult/mail.h"
#include "protocol/core/casework_state.h"
#include "protocol/core/core_state.h"
#include "protocol/core/equivocation.h"

static size_t casework_align(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

size_t casework_memory_size(uint32_t case_count_max)
{
    return casework_align(sizeof(struct casework)) + case_count_max * sizeof(struct casework_case);
}

struct casework *casework_new(void *memory, uint32_t case_count_max)
{
    struct casework *casework = memory;
    casework->all = (void *)((uint8_t *)memory + casework_align(sizeof *casework));
    casework->count_max = case_count_max;
    return casework;
}

/* ---- the table ---- */

struct casework_case *casework_entry(const struct core *core, const struct case_id *case_id)
{
    struct casework *casework = core->casework;
    for (uint32_t i = 0; i < casework->count; i++) {
        if (ID_EQUAL(casework->all[i].consult.case_id, *case_id))
            return &casework->all[i];
    }
    return NULL;
}

/* Cases that this member spoke of and never opened: anybody can speak of any number. */
static uint32_t casework_promised(const struct core *core, const struct node_id *node)
{
    const struct casework *casework = core->casework;
    uint32_t count = 0;
    for (uint32_t i = 0; i < casework->count; i++)
        count += ID_IS_ZERO(casework->all[i].consult.requester) &&
                         ID_EQUAL(casework->all[i].asked_by, *node)
                     ? 1
                     : 0;
    return count;
}

/* Others may take three quarters of the table: whatever they open, this node can still ask. */
bool casework_has_room(const struct core *core, bool is_own)
{
    const struct casework *casework = core->casework;
    uint32_t others = 0;
    for (uint32_t i = 0; i < casework->count; i++)
        others += ID_EQUAL(casework->all[i].asked_by, core->config.self) ? 0 : 1;
    return casework->count < casework->count_max &&
           (is_own || others < casework->count_max - casework->count_max / 4);
}

static struct casework_case *casework_add(struct core *core, const struct case_id *case_id,
                                          const struct node_id *requester)
{
    struct casework *casework = core->casework;
    struct casework_case *entry = casework_entry(core, case_id);
    bool is_own = ID_EQUAL(*requester, core->config.self);
    if (entry == NULL && !is_own && casework_promised(core, requester) >= CASEWORK_PROMISED_MAX)
        return NULL;
    if (entry == NULL && casework_has_room(core, is_own)) {
        entry = &casework->all[casework->count++];
        consult_init(&entry->consult, &core->config.federation, case_id);
        entry->asked_by = *requester;
    }
    return entry;
}

const struct consult *casework_find(const struct core *core, const struct case_id *case_id)
{
    const struct casework_case *entry = casework_entry(core, case_id);
    return entry == NULL ? NULL : &entry->consult;
}

uint32_t casework_count(const struct core *core)
{
    return core->casework->count;
}

const struct consult *casework_at(const struct core *core, uint32_t n)
{
    return n < core->casework->count ? &core->casework->all[n].consult : NULL;
}

bool casework_includes(const struct core *core, const struct case_id *case_id,
                       const struct node_id *node)
{
    const struct casework_case *entry = casework_entry(core, case_id);
    if (entry == NULL)
        return false;
    /* it is ours, or we were told of a grant, which may stand far behind the opening */
    if (ID_EQUAL(core->config.self, *node))
        return true;
    if (ID_IS_ZERO(entry->consult.requester))
        return ID_EQUAL(entry->asked_by, *node);
    return consult_ever_entitled(&entry->consult, node);
}

err casework_may_read(const struct core *core, const struct node_id *node,
                      const struct record_claim *claim)
{
    struct case_id case_id;
    memcpy(case_id.bytes, claim->header.stream.scope.id, HASH_SIZE);
    const struct casework_case *entry = casework_entry(core, &case_id);
    const struct node_id *self = &core->config.self;
    uint32_t unread;
    if (entry == NULL)
        return ERR_NOT_FOUND;
    const struct consult *consult = &entry->consult;
    /* (C-45) */
    if (ID_EQUAL(consult->requester, *self) && !ID_EQUAL(*node, *self) &&
        casework_has_unread(core, entry, &unread))
        return ERR_NOT_ENTITLED;
    struct consult_record record = consult_record_of(&claim->header, &claim->id, NULL);
    return consult_entitled(consult, node, &record) ? OK : ERR_NOT_ENTITLED;
}

bool casework_is_erased(const struct core *core, const struct case_id *case_id)
{
    const struct consult *consult = casework_find(core, case_id);
    return consult != NULL && consult->state == CASE_ERASED;
}

void casework_restore(struct core *core, struct bytes exported)
{
    struct casework *casework = core->casework;
    if (casework->count == casework->count_max)
        return;
    struct casework_case *entry = &casework->all[casework->count];
    if (consult_import(exported, &entry->consult) != OK ||
        !ID_EQUAL(entry->consult.federation, core->config.federation))
        return;
    entry->asked_by = entry->consult.requester;
    casework->count++;
}

void casework_start(struct core *core)
{
    core->casework->readers_changed = true;
    for (uint32_t i = 0; i < core->casework->count; i++)
        casework_walk(core, &core->casework->all[i]);
}

/* Who speaks for a requester that was removed. */
static void casework_succeed(const struct core *core, struct consult *consult)
{
    const struct roster_entry *requester = roster_find(core->roster, &consult->requester);
    if (requester != NULL && requester->state == MEMBER_REMOVED &&
        !ID_IS_ZERO(requester->successor))
        consult_set_successor(consult, &requester->successor);
}

void casework_roster(struct core *core)
{
    for (uint32_t i = 0; i < core->casework->count; i++)
        casework_succeed(core, &core->casework->all[i].consult);
}

/* ---- what a record means ---- */

/* An institution's key changes, and what it certified before stands: who holds the stream has the
 * word of the stream's own signatures for it. */
static const struct sign_key *casework_key(const struct core *core,
                                           const struct roster_entry *writer,
                                           const struct record_claim *claim)
{
    const struct chain_link *head = chain_find(&core->roster->chain, &claim->header.head);
    return head != NULL && head->epoch < writer->keys_since_epoch ? NULL : &writer->sign_key;
}

static void casework_take_federation(struct core *core, const struct record_claim *claim,
                                     const struct statement *statement, struct step *step)
{
    const struct roster_entry *writer = roster_find(core->roster, &claim->header.stream.writer);
    if (statement->kind == KIND_FORK_PROOF)
        equivocation_proved(core, statement->content, step);
    else if (writer != NULL &&
             clinicians_take(&core->clinicians, &claim->header, casework_key(core, writer, claim),
                             statement->kind, statement->content) != OK)
        core->refused++;
    else if (writer != NULL && statement->kind == KIND_CERTIFICATE)
        casework_certified(core, &writer->node_id);
}

/* To whom this one went: the board, or one of those who were asked directly. */
static uint64_t casework_mirror_bit(const struct consult *consult, const struct scope *scope)
{
    for (size_t i = 0; scope->kind == SCOPE_MAIL && i < consult->directed_count; i++) {
        struct scope mail = scope_mail(&consult->directed[i]);
        if (scope_equal(&mail, scope))
            return UINT64_C(1) << i;
    }
    return scope->kind == SCOPE_BOARD ? 1 : 0;
}

static void casework_take_mirror(struct core *core, const struct record_claim *claim,
                                 const struct statement *statement, struct step *step)
{
    struct mirror mirror;
    const struct stream_id *stream = &claim->header.stream;
    if (statement->kind != KIND_MIRROR || mirror_read(statement->content, &mirror) != OK)
        return;
    struct casework_case *entry = casework_entry(core, &mirror.case_id);
    if (entry != NULL && ID_EQUAL(stream->writer, core->config.self))
        entry->mirrored[mirror.what] |= casework_mirror_bit(&entry->consult, &stream->scope);
    if (mirror.what != MIRROR_ERASED || !core->is_started)
        return;
    struct effect *effect = step_effect(step, EFFECT_RETRACT); /* C-53 */
    effect->retract.scope = stream->scope;
    effect->retract.writer = stream->writer;
    effect->retract.case_id = mirror.case_id;
}

static void casework_take_notice(struct core *core, const struct record_claim *claim,
                                 const struct statement *statement)
{
    struct mail_grant_notice notice;
    const struct node_id *writer = &claim->header.stream.writer;
    /* C-42: who knows a case's id does not speak for it */
    if (mail_grant_notice_read(statement->content, &notice) != OK ||
        !ID_EQUAL(notice.requester, *writer) ||
        !caserecord_proves(&core->config.federation, writer, &notice.opening, &notice.case_id))
        return;
    if (!ID_EQUAL(*writer, core->config.self)) {
        (void)casework_add(core, &notice.case_id, writer);
        core->casework->readers_changed = true;
        return;
    }
    struct casework_case *entry = casework_entry(core, &notice.case_id);
    struct node_id recipient;
    memcpy(recipient.bytes, claim->header.stream.scope.id, NODE_ID_SIZE);
    for (size_t i = 0; entry != NULL && i < entry->consult.participant_count; i++) {
        if (ID_EQUAL(entry->consult.participants[i].node, recipient))
            entry->noticed |= UINT64_C(1) << i;
    }
}

static void casework_take_join(struct core *core, const struct record_claim *claim,
                               const struct statement *statement, struct step *step)
{
    struct mail_join join;
    if (ID_EQUAL(claim->header.stream.writer, core->config.self) ||
        mail_join_read(statement->content, &join) != OK)
        return;
    struct casework_case *entry = casework_entry(core, &join.case_id);
    if (entry != NULL && ID_EQUAL(entry->consult.requester, core->config.self))
        casework_respond(core, entry, &(struct casework_said){claim, statement, CONSULT_AWAITS},
                         step);
}

/* (C-44) The leader's next generation begins while something that is here of the one before was not
 * read yet: what was ended there would go on. */
static bool casework_is_early(const struct core *core, const struct casework_case *entry,
                              const struct consult_record *record)
{
    const struct consult *consult = &entry->consult;
    bool is_erase = record->statement != NULL && record->statement->kind == KIND_ERASE;
    uint32_t unread;
    return !is_erase && consult->cursor.generation != 0 &&
           ID_EQUAL(record->writer, consult->requester) &&
           record->generation > consult->cursor.generation &&
           casework_has_unread(core, entry, &unread) && unread == consult->cursor.generation;
}

/* `statement` is NULL when the body says nothing that can be read here, now or ever: its position
 * counts all the same, or the case would stand still for ever. */
static void casework_take_case(struct core *core, const struct record_claim *claim,
                               const struct statement *statement, struct step *step)
{
    struct case_id case_id;
    memcpy(case_id.bytes, claim->header.stream.scope.id, HASH_SIZE);
    struct casework_case *entry = casework_entry(core, &case_id);
    const struct node_id *writer = &claim->header.stream.writer;
    if (entry == NULL && statement != NULL && statement->kind == KIND_OPEN &&
        ID_EQUAL(*writer, core->config.self))
        entry = casework_add(core, &case_id, writer);
    if (entry == NULL)
        return;
    casework_succeed(core, &entry->consult);
    struct consult_record record = consult_record_of(&claim->header, &claim->id, statement);
    if (casework_is_early(core, entry, &record)) {
        if (core->is_started)
            casework_walk(core, entry);
        return;
    }
    uint64_t before = entry->consult.cursor.sequence;
    enum consult_verdict verdict = consult_apply(&entry->consult, &record);
    if (ID_EQUAL(entry->consult.erase, claim->id) && !core->is_obeying) {
        entry->erase_stream = claim->header.stream;
        entry->erase_sequence = claim->header.sequence;
    }
    bool has_moved = entry->consult.cursor.sequence != before || verdict == CONSULT_OUT_OF_ORDER;
    bool is_proper =
        statement != NULL &&
        kind_check(statement->kind, SCOPE_CASE, claim->header.audience, statement->is_signed) == OK;
    if (is_proper)
        casework_respond(core, entry, &(struct casework_said){claim, statement, verdict}, step);
    if (core->is_started && has_moved)
        casework_walk(core, entry);
}

void casework_take(struct core *core, const struct record_claim *claim, struct bytes plaintext,
                   struct step *step)
{
    struct statement statement;
    const struct record_header *header = &claim->header;
    bool is_readable = statement_read(plaintext, &statement) == OK;
    if (header->stream.scope.kind == SCOPE_CASE) {
        casework_take_case(core, claim, is_readable ? &statement : NULL, step);
        return;
    }
    if (!is_readable || kind_check(statement.kind, header->stream.scope.kind, header->audience,
                                   statement.is_signed) != OK)
        return;
    switch (header->stream.scope.kind) {
    case SCOPE_FEDERATION:
        casework_take_federation(core, claim, &statement, step);
        break;
    case SCOPE_BOARD:
        casework_take_mirror(core, claim, &statement, step);
        break;
    case SCOPE_MAIL:
        casework_take_mirror(core, claim, &statement, step);
        if (statement.kind == KIND_GRANT_NOTICE)
            casework_take_notice(core, claim, &statement);
        if (statement.kind == KIND_JOIN)
            casework_take_join(core, claim, &statement, step);
        break;
    case SCOPE_CASE: /* above */
        break;
    }
}
