#include "tests/harness/consult_fixture.h"

const struct node_id service_a = {{0xa}}, service_b = {{0xb}}, service_c = {{0xc}},
                     service_d = {{0xd}};

const struct federation_id service_federation = {{0xf}};

const struct case_record_opening service_opening = {{0x77}};

struct case_id service_case(void)
{
    return case_record_case_id(&service_federation, &service_a, &service_opening);
}

void service_init(struct service *service, enum announcement_mode mode)
{
    struct case_id case_id = service_case();
    memset(service, 0, sizeof *service);
    service->mode = mode;
    service->time.ms = 1000;
    consult_init(&service->consult, &service_federation, &case_id);
}

void service_write(struct service *service, const struct node_id *writer, uint16_t kind,
                   const void *value)
{
    struct buffer buffer = buffer_over(service->content, sizeof service->content);
    const struct kind_rule *rule = kind_rule(kind);
    enum audience audience = service->audience;
    if (audience == 0)
        audience = (rule->audiences & KIND_CLEAR) != 0 ? AUDIENCE_CLEAR : AUDIENCE_SCOPE;
    if (content_write(content_registry_table(kind), value, &buffer) != OK)
        buffer.size = 0; /* an empty content is malformed */
    service->statement = (struct statement){.kind = kind,
                                            .is_signed = rule->signing == KIND_BY_CLINICIAN,
                                            .content = buffer_bytes(&buffer)};
    service->record = (struct consult_record){.id = {{++service->record_count}},
                                              .writer = *writer,
                                              .generation = 1,
                                              .sequence = ++service->sequences[writer->bytes[0]],
                                              .time = service->time,
                                              .audience = audience,
                                              .statement = &service->statement};
    service->audience = AUDIENCE_CLEAR;
}

enum consult_verdict service_say(struct service *service, const struct node_id *writer,
                                 uint16_t kind, const void *value)
{
    service_write(service, writer, kind, value);
    return consult_apply(&service->consult, &service->record);
}

enum consult_verdict service_open_as(struct service *service, const struct node_id *requester)
{
    static uint8_t memory[4096];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    struct announcement announcement = {.case_id = service_case(),
                                        .specialty = bytes_of_text("oncology"),
                                        .service = ANNOUNCEMENT_CLINICAL_CONSULT,
                                        .reason = ANNOUNCEMENT_SERIOUS,
                                        .question = bytes_of_text("What now?"),
                                        .wanted_count = 2,
                                        .deadline = {SERVICE_DEADLINE},
                                        .language = bytes_of_text("en"),
                                        .mode = service->mode};
    if (announcement_write(&announcement, &buffer) != OK)
        return CONSULT_MALFORMED;
    struct case_record_open open = {
        .opening = service_opening, .requester = *requester, .announcement = buffer_bytes(&buffer)};
    return service_say(service, requester, KIND_OPEN, &open);
}

enum consult_verdict service_open(struct service *service)
{
    return service_open_as(service, &service_a);
}

enum consult_verdict service_grant(struct service *service, const struct node_id *participant)
{
    struct case_record_grant grant = {.participant = *participant};
    return service_say(service, &service_a, KIND_GRANT, &grant);
}

enum consult_verdict service_end(struct service *service, const struct node_id *participant,
                                 uint64_t sequence)
{
    struct case_record_grant_end end = {.participant = *participant,
                                        .generation = sequence > 0,
                                        .sequence = sequence,
                                        .record_id = {{sequence > 0}}};
    return service_say(service, &service_a, KIND_GRANT_END, &end);
}

enum consult_verdict service_opinion(struct service *service, const struct node_id *author)
{
    struct opinion opinion = {.announcement = {{1}},
                              .stream_head = {1, 1, {{1}}},
                              .roster_head = {{1}},
                              .manifest_root = {{1}},
                              .sentence = bytes_of_text(OPINION_SENTENCE),
                              .text = bytes_of_text("Go on."),
                              .language = bytes_of_text("en")};
    if (service->mode == ANNOUNCEMENT_INDEPENDENT_FIRST)
        service->audience = AUDIENCE_REQUESTER;
    return service_say(service, author, KIND_OPINION, &opinion);
}

enum consult_verdict service_post(struct service *service, const struct node_id *author)
{
    struct case_record_post post = {.text = bytes_of_text("A word.")};
    return service_say(service, author, KIND_POST, &post);
}

enum consult_verdict service_take_in(struct service *service, const struct node_id *author,
                                     const struct record_id *id, uint16_t kind)
{
    struct case_record_take_in take_in = {.taken = {{*author, *id, kind}}, .taken_count = 1};
    return service_say(service, &service_a, KIND_TAKE_IN, &take_in);
}

enum consult_verdict service_reveal(struct service *service, const struct record_id *id)
{
    struct case_record_reveal reveal = {.records = {*id}, .record_count = 1};
    return service_say(service, &service_a, KIND_REVEAL, &reveal);
}

enum consult_verdict service_release(struct service *service, const struct node_id *author,
                                     const struct record_id *id)
{
    struct case_record_release release = {*id};
    return service_say(service, author, KIND_RELEASE, &release);
}

enum consult_verdict service_extend(struct service *service, uint64_t deadline)
{
    struct case_record_extend extend = {.deadline = {deadline}};
    return service_say(service, &service_a, KIND_EXTEND, &extend);
}

enum consult_verdict service_synthesis(struct service *service)
{
    struct case_record_synthesis synthesis = {.text = bytes_of_text("In short.")};
    return service_say(service, &service_a, KIND_SYNTHESIS, &synthesis);
}

enum consult_verdict service_close(struct service *service)
{
    struct case_record_close close = {.note = BYTES_NONE};
    return service_say(service, &service_a, KIND_CLOSE, &close);
}

enum consult_verdict service_outcome(struct service *service, uint64_t day)
{
    struct case_record_outcome outcome = {
        .day = day, .followed = CASERECORD_FOLLOWED, .result = CASERECORD_IMPROVED};
    return service_say(service, &service_a, KIND_OUTCOME, &outcome);
}

enum consult_verdict service_erase(struct service *service, const struct node_id *writer)
{
    struct case_record_erase erase = {.opening = service_opening, .requester = service_a};
    return service_say(service, writer, KIND_ERASE, &erase);
}

enum consult_verdict service_erased(struct service *service, const struct node_id *writer)
{
    struct case_record_erased erased = {.erase = service->consult.erase, .backups_until = {5000}};
    if (ID_IS_ZERO(erased.erase))
        erased.erase.bytes[0] = 1;
    return service_say(service, writer, KIND_ERASED, &erased);
}
