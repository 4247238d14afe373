#include "tests/sim/ledger.h"

#include <string.h>

#include "protocol/consult/consult.h"
#include "protocol/contents/case_record.h"
#include "protocol/contents/mail.h"
#include "protocol/record/statement.h"
#include "tests/sim/hospital.h"

/* One record by which somebody may read, or may not any more, or learns that it may. */
struct ledger_fact {
    struct scope scope;
    struct node_id writer;
    struct consult_cursor position;
    struct record_id said; /* the record itself */
    enum kind kind;
    struct node_id node;     /* GRANT, GRANT_END, GRANT_NOTICE */
    struct record_id record; /* REVEAL, RELEASE */
    struct wall time;
};

struct ledger {
    struct ledger_fact *facts;
    size_t count, capacity;
};

struct ledger *ledger_new(void)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL)
        abort();
    return ledger;
}

void ledger_free(struct ledger *ledger)
{
    free(ledger->facts);
    free(ledger);
}

static void ledger_add(struct ledger *ledger, const struct ledger_fact *fact)
{
    if (ledger->count == ledger->capacity) {
        ledger->capacity = 2 * ledger->capacity + 64;
        ledger->facts = realloc(ledger->facts, ledger->capacity * sizeof *ledger->facts);
        if (ledger->facts == NULL)
            abort();
    }
    ledger->facts[ledger->count++] = *fact;
}

static void ledger_take_mail(struct ledger *ledger, const struct record_claim *claim,
                             struct bytes plaintext)
{
    struct statement statement;
    struct mail_grant_notice notice;
    if (statement_read(plaintext, &statement) != OK || statement.kind != KIND_GRANT_NOTICE ||
        mail_grant_notice_read(statement.content, &notice) != OK)
        return;
    struct ledger_fact fact = {.scope = scope_case(&notice.case_id),
                               .writer = claim->header.stream.writer,
                               .said = claim->id,
                               .kind = KIND_GRANT_NOTICE,
                               .node = scope_recipient(&claim->header.stream.scope)};
    ledger_add(ledger, &fact);
}

void ledger_take(struct hospital *hospital, const struct step_record *record)
{
    struct ledger *ledger = hospital->world->ledger;
    struct record_claim claim;
    struct statement statement;
    struct case_record_grant grant;
    struct case_record_grant_end end;
    struct case_record_reveal reveal;
    struct case_record_release release;
    if (record_parse(record->record, &claim) != OK)
        return;
    if (claim.header.stream.scope.kind == SCOPE_MAIL)
        ledger_take_mail(ledger, &claim, record->plaintext);
    if (claim.header.stream.scope.kind != SCOPE_CASE ||
        statement_read(record->plaintext, &statement) != OK)
        return;
    struct ledger_fact fact = {.scope = claim.header.stream.scope,
                               .writer = claim.header.stream.writer,
                               .position = {claim.header.stream.generation, claim.header.sequence},
                               .said = claim.id,
                               .time = claim.header.time,
                               .kind = (enum kind)statement.kind};
    if (statement.kind == KIND_GRANT && case_record_grant_read(statement.content, &grant) == OK) {
        fact.node = grant.participant;
        ledger_add(ledger, &fact);
    } else if (statement.kind == KIND_GRANT_END &&
               case_record_grant_end_read(statement.content, &end) == OK) {
        fact.node = end.participant;
        ledger_add(ledger, &fact);
    } else if (statement.kind == KIND_REVEAL &&
               case_record_reveal_read(statement.content, &reveal) == OK) {
        for (size_t i = 0; i < reveal.record_count; i++) {
            fact.record = reveal.records[i];
            ledger_add(ledger, &fact);
        }
    } else if (statement.kind == KIND_RELEASE &&
               case_record_release_read(statement.content, &release) == OK) {
        fact.record = release.record_id;
        ledger_add(ledger, &fact);
    }
}

/* ---- the roster ---- */

static bool ledger_cooled(const struct hospital *from, uint64_t since)
{
    const struct world_member *self = &from->world->heads[from->epoch - 1].members[from->index];
    return since <= self->admitted_epoch ||
           hospital_wall(from).ms >= from->received[since - 1] + 72 * HOUR_MS;
}

static const char *ledger_refuses_member(const struct hospital *from,
                                         const struct world_member *row)
{
    if (row->state != MEMBER_ADMITTED)
        return "it is not admitted";
    if (!ledger_cooled(from, row->state_since) ||
        (!row->keys_proved && !ledger_cooled(from, row->keys_since)))
        return "its cooling-off is not over";
    return NULL;
}

static const char *ledger_refuses_board(const struct hospital *from, const struct world_member *row,
                                        const struct record_claim *claim)
{
    uint64_t epoch = 0;
    for (uint64_t i = 0; i < from->epoch; i++) {
        if (ID_EQUAL(from->world->heads[i].id, claim->header.head))
            epoch = i + 1;
    }
    if (row->board_since == 0)
        return "it does not serve the board";
    if (epoch == 0)
        return "the record names a head that is not known";
    if (epoch < row->board_since)
        return "the record is older than its admission to the board";
    return ledger_cooled(from, row->board_since) ? NULL : "its cooling-off is not over";
}

/* ---- cases ---- */

/* How far `from` has read the requester's stream: what stands behind that, it cannot know. */
static struct consult_cursor ledger_read_to(const struct hospital *from, const struct scope *scope)
{
    struct case_id case_id;
    memcpy(case_id.bytes, scope->id, HASH_SIZE);
    const struct consult *consult = hospital_case(from, &case_id);
    return consult == NULL ? (struct consult_cursor){0, 0} : consult->cursor;
}

static bool ledger_is_behind(struct consult_cursor a, struct consult_cursor b)
{
    return a.generation != b.generation ? a.generation > b.generation : a.sequence > b.sequence;
}

/* A disk that was put back may have lost the record, or nobody may hold it any more. A requester
 * that has it, with or without its body, must not forget that it said something there. */
static bool ledger_knows(const struct hospital *from, const struct ledger_fact *fact)
{
    struct stream_id stream = {fact->scope, fact->writer, fact->position.generation};
    const struct disk_record *record = disk_at(&from->disk, &stream, fact->position.sequence);
    return record != NULL && ID_EQUAL(record->id, fact->said) &&
           (ID_EQUAL(from->node, fact->writer) ||
            !ledger_is_behind(fact->position, ledger_read_to(from, &fact->scope)));
}

static const struct sim_case *ledger_case(const struct world *world, const struct scope *scope)
{
    for (uint32_t i = 0; i < world->case_count; i++) {
        if (memcmp(world->cases[i].id.bytes, scope->id, HASH_SIZE) == 0)
            return &world->cases[i];
    }
    return NULL;
}

bool ledger_takes_part(const struct hospital *from, const struct hospital *writer,
                       const struct scope *scope)
{
    const struct world *world = from->world;
    const struct sim_case *asked = ledger_case(world, scope);
    if (asked == NULL || asked->requester == writer->index)
        return asked != NULL;
    for (size_t i = 0; i < world->ledger->count; i++) {
        const struct ledger_fact *fact = &world->ledger->facts[i];
        if (fact->kind == KIND_GRANT && ID_EQUAL(fact->node, writer->node) &&
            scope_equal(&fact->scope, scope) &&
            ID_EQUAL(fact->writer, world->hospitals[asked->requester].node) &&
            ledger_knows(from, fact))
            return true;
    }
    return false;
}

bool ledger_noticed(const struct hospital *requester, const struct hospital *to,
                    const struct scope *scope)
{
    const struct ledger *ledger = requester->world->ledger;
    for (size_t i = 0; i < ledger->count; i++) {
        const struct ledger_fact *fact = &ledger->facts[i];
        if (fact->kind == KIND_GRANT_NOTICE && ID_EQUAL(fact->node, to->node) &&
            ID_EQUAL(fact->writer, requester->node) && scope_equal(&fact->scope, scope))
            return true;
    }
    return false;
}

static const char *ledger_refuses_case(const struct hospital *from, const struct hospital *to,
                                       const struct record_claim *claim)
{
    const struct world *world = from->world;
    const struct scope *scope = &claim->header.stream.scope;
    const struct sim_case *asked = ledger_case(world, scope);
    bool is_granted = false, is_open = claim->header.audience != AUDIENCE_REQUESTER;
    if (asked == NULL)
        return "nobody asked this case";
    if (asked->requester == to->index)
        return NULL;
    const struct hospital *requester = &world->hospitals[asked->requester];
    for (size_t i = 0; i < world->ledger->count; i++) {
        const struct ledger_fact *fact = &world->ledger->facts[i];
        bool is_requesters = ID_EQUAL(fact->writer, requester->node);
        if (!scope_equal(&fact->scope, scope) || (is_requesters && !ledger_knows(from, fact)))
            continue;
        if (fact->kind == KIND_GRANT && is_requesters && ID_EQUAL(fact->node, to->node))
            is_granted = true;
        if (fact->kind == KIND_GRANT_END && is_requesters && ID_EQUAL(fact->node, to->node))
            is_granted = false;
        if (fact->kind == KIND_REVEAL && is_requesters && ID_EQUAL(fact->record, claim->id))
            is_open = true;
        if (fact->kind == KIND_RELEASE && ID_EQUAL(fact->writer, claim->header.stream.writer) &&
            ID_EQUAL(fact->record, claim->id) &&
            fact->time.ms <= hospital_wall(from).ms + CLOCK_SKEW_MS_MAX)
            is_open = true;
    }
    if (!is_granted)
        return "the requester has not granted it, or has ended it";
    return is_open ? NULL : "it is sealed to the requester";
}

bool ledger_admits(const struct hospital *from, const struct hospital *to)
{
    const struct world_member *row = &from->world->heads[from->epoch - 1].members[to->index];
    return ledger_refuses_member(from, row) == NULL;
}

const char *ledger_refuses(const struct hospital *from, const struct hospital *to,
                           const struct record_claim *claim)
{
    const struct scope *scope = &claim->header.stream.scope;
    const struct world_member *row = &from->world->heads[from->epoch - 1].members[to->index];
    if (ID_EQUAL(to->node, claim->header.stream.writer))
        return row->state == MEMBER_ADMITTED ? NULL : "it is not admitted";
    if (scope->kind == SCOPE_FEDERATION)
        return "a federation's record has no key";
    const char *why = ledger_refuses_member(from, row);
    if (why == NULL && scope->kind == SCOPE_BOARD)
        why = ledger_refuses_board(from, row, claim);
    if (why == NULL && scope->kind == SCOPE_CASE)
        why = ledger_refuses_case(from, to, claim);
    if (why == NULL && scope->kind == SCOPE_MAIL &&
        memcmp(scope->id, to->node.bytes, NODE_ID_SIZE) != 0)
        why = "it is not its mail";
    return why;
}
