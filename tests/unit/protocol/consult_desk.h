/* A desk at which tests let institutions write records of one case: A asks, B, C and D answer. */
#ifndef CONSILIUM_TESTS_UNIT_PROTOCOL_CONSULT_DESK_H
#define CONSILIUM_TESTS_UNIT_PROTOCOL_CONSULT_DESK_H

#include <string.h>

#include "protocol/consult/casefile.h"
#include "protocol/consult/consult.h"
#include "protocol/consult/mail.h"
#include "protocol/consult/opinion.h"
#include "protocol/consult/vocabulary.h"

static const struct node_id desk_a = {{0xa}}, desk_b = {{0xb}}, desk_c = {{0xc}}, desk_d = {{0xd}};
static const struct federation_id desk_federation = {{0xf}};
static const struct caserecord_opening desk_opening = {{0x77}};

enum { DESK_DEADLINE = 100000 };

struct desk {
    struct consult consult;
    enum announcement_mode mode;
    uint64_t sequences[16]; /* by first byte of the writer */
    uint8_t record_count;   /* makes record ids */
    struct wall time;
    enum audience audience; /* of the next record; 0: the narrowest that the kind allows */
    /* the record written last */
    struct consult_record record;
    struct statement statement;
    uint8_t content[STATEMENT_CONTENT_SIZE_MAX];
};

static inline struct case_id desk_case(void)
{
    return caserecord_case_id(&desk_federation, &desk_a, &desk_opening);
}

static inline void desk_init(struct desk *desk, enum announcement_mode mode)
{
    struct case_id case_id = desk_case();
    memset(desk, 0, sizeof *desk);
    desk->mode = mode;
    desk->time.ms = 1000;
    consult_init(&desk->consult, &desk_federation, &case_id);
}

/* Makes the record without applying it. */
static inline void desk_write(struct desk *desk, const struct node_id *writer, uint16_t kind,
                              const void *value)
{
    struct buffer buffer = buffer_over(desk->content, sizeof desk->content);
    const struct kind_rule *rule = kind_rule(kind);
    enum audience audience = desk->audience;
    if (audience == 0)
        audience = (rule->audiences & KIND_CLEAR) != 0 ? AUDIENCE_CLEAR : AUDIENCE_SCOPE;
    if (content_write(vocabulary_table(kind), value, &buffer) != OK)
        buffer.size = 0; /* an empty content is malformed */
    desk->statement = (struct statement){.kind = kind,
                                         .is_signed = rule->signing == KIND_BY_CLINICIAN,
                                         .content = buffer_bytes(&buffer)};
    desk->record = (struct consult_record){.id = {{++desk->record_count}},
                                           .writer = *writer,
                                           .generation = 1,
                                           .sequence = ++desk->sequences[writer->bytes[0]],
                                           .time = desk->time,
                                           .audience = audience,
                                           .statement = &desk->statement};
    desk->audience = AUDIENCE_CLEAR;
}

static inline enum consult_verdict desk_say(struct desk *desk, const struct node_id *writer,
                                            uint16_t kind, const void *value)
{
    desk_write(desk, writer, kind, value);
    return consult_apply(&desk->consult, &desk->record);
}

/* As if `requester` had made the case. */
static inline enum consult_verdict desk_open_as(struct desk *desk, const struct node_id *requester)
{
    static uint8_t memory[4096];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    struct announcement announcement = {.case_id = desk_case(),
                                        .specialty = bytes_of_text("oncology"),
                                        .service = ANNOUNCEMENT_CLINICAL_CONSULT,
                                        .reason = ANNOUNCEMENT_SERIOUS,
                                        .question = bytes_of_text("What now?"),
                                        .wanted_count = 2,
                                        .deadline = {DESK_DEADLINE},
                                        .language = bytes_of_text("en"),
                                        .mode = desk->mode};
    if (announcement_write(&announcement, &buffer) != OK)
        return CONSULT_MALFORMED;
    struct caserecord_open open = {
        .opening = desk_opening, .requester = *requester, .announcement = buffer_bytes(&buffer)};
    return desk_say(desk, requester, KIND_OPEN, &open);
}

static inline enum consult_verdict desk_open(struct desk *desk)
{
    return desk_open_as(desk, &desk_a);
}

static inline enum consult_verdict desk_grant(struct desk *desk, const struct node_id *participant)
{
    struct caserecord_grant grant = {.participant = *participant};
    return desk_say(desk, &desk_a, KIND_GRANT, &grant);
}

static inline enum consult_verdict desk_end(struct desk *desk, const struct node_id *participant,
                                            uint64_t sequence)
{
    struct caserecord_grant_end end = {.participant = *participant,
                                       .generation = sequence > 0,
                                       .sequence = sequence,
                                       .record_id = {{sequence > 0}}};
    return desk_say(desk, &desk_a, KIND_GRANT_END, &end);
}

static inline enum consult_verdict desk_opinion(struct desk *desk, const struct node_id *author)
{
    struct opinion opinion = {.announcement = {{1}},
                              .stream_head = {1, 1, {{1}}},
                              .roster_head = {{1}},
                              .manifest_root = {{1}},
                              .sentence = bytes_of_text(OPINION_SENTENCE),
                              .text = bytes_of_text("Go on."),
                              .language = bytes_of_text("en")};
    if (desk->mode == ANNOUNCEMENT_INDEPENDENT_FIRST)
        desk->audience = AUDIENCE_REQUESTER;
    return desk_say(desk, author, KIND_OPINION, &opinion);
}

static inline enum consult_verdict desk_post(struct desk *desk, const struct node_id *author)
{
    struct caserecord_post post = {.text = bytes_of_text("A word.")};
    return desk_say(desk, author, KIND_POST, &post);
}

static inline enum consult_verdict desk_take_in(struct desk *desk, const struct node_id *author,
                                                const struct record_id *id, uint16_t kind)
{
    struct caserecord_take_in take_in = {.taken = {{*author, *id, kind}}, .taken_count = 1};
    return desk_say(desk, &desk_a, KIND_TAKE_IN, &take_in);
}

static inline enum consult_verdict desk_reveal(struct desk *desk, const struct record_id *id)
{
    struct caserecord_reveal reveal = {.records = {*id}, .record_count = 1};
    return desk_say(desk, &desk_a, KIND_REVEAL, &reveal);
}

static inline enum consult_verdict desk_release(struct desk *desk, const struct node_id *author,
                                                const struct record_id *id)
{
    struct caserecord_release release = {*id};
    return desk_say(desk, author, KIND_RELEASE, &release);
}

static inline enum consult_verdict desk_extend(struct desk *desk, uint64_t deadline)
{
    struct caserecord_extend extend = {.deadline = {deadline}};
    return desk_say(desk, &desk_a, KIND_EXTEND, &extend);
}

static inline enum consult_verdict desk_synthesis(struct desk *desk)
{
    struct caserecord_synthesis synthesis = {.text = bytes_of_text("In short.")};
    return desk_say(desk, &desk_a, KIND_SYNTHESIS, &synthesis);
}

static inline enum consult_verdict desk_close(struct desk *desk)
{
    struct caserecord_close close = {.note = BYTES_NONE};
    return desk_say(desk, &desk_a, KIND_CLOSE, &close);
}

static inline enum consult_verdict desk_outcome(struct desk *desk, uint64_t day)
{
    struct caserecord_outcome outcome = {
        .day = day, .followed = CASERECORD_FOLLOWED, .result = CASERECORD_IMPROVED};
    return desk_say(desk, &desk_a, KIND_OUTCOME, &outcome);
}

static inline enum consult_verdict desk_erase(struct desk *desk, const struct node_id *writer)
{
    struct caserecord_erase erase = {.opening = desk_opening, .requester = desk_a};
    return desk_say(desk, writer, KIND_ERASE, &erase);
}

static inline enum consult_verdict desk_erased(struct desk *desk, const struct node_id *writer)
{
    struct caserecord_erased erased = {.erase = desk->consult.erase, .backups_until = {5000}};
    if (ID_IS_ZERO(erased.erase))
        erased.erase.bytes[0] = 1;
    return desk_say(desk, writer, KIND_ERASED, &erased);
}

#endif
