#include "tests/sim/clinic.h"

#include <string.h>

#include "protocol/contents/case_record.h"
#include "protocol/contents/content_registry.h"
#include "protocol/contents/mail.h"
#include "protocol/contents/opinion.h"
#include "protocol/record/certificate.h"
#include "protocol/record/statement.h"
#include "tests/sim/hospital.h"

void clinic_certify(struct hospital *hospital)
{
    uint8_t asked[CERTIFICATE_REQUEST_SIZE_MAX], made[CERTIFICATE_SIZE_MAX], body[4096];
    struct buffer request_bytes = buffer_over(asked, sizeof asked);
    struct buffer content = buffer_over(made, sizeof made);
    struct buffer out = buffer_over(body, sizeof body);
    struct certificate_request request = {.federation = hospital->config.federation,
                                          .node_id = hospital->node,
                                          .clinician_key = hospital->clinician_key,
                                          .name = bytes_of_text("Lin Wei"),
                                          .credentials = bytes_of_text("MD"),
                                          .specialties = {bytes_of_text("hematology")},
                                          .specialty_count = 1,
                                          .country = bytes_of_text("CH")};
    err failure = certificate_request_write(&request, &request_bytes);
    struct certificate_issue issue = {.request = buffer_bytes(&request_bytes),
                                      .serial = 1,
                                      .valid_from = {FEDERATION_START_MS},
                                      .valid_until = {FEDERATION_START_MS + 36500 * DAY_MS}};
    certificate_prove(issue.request, hospital->clinician_secret, &issue.possession);
    if (failure == OK)
        failure = certificate_write(&issue, hospital->sign_secret, &content, &hospital->cert_id);
    struct statement statement = {.kind = KIND_CERTIFICATE, .content = buffer_bytes(&content)};
    if (failure == OK)
        failure = statement_write(&statement, &out);
    WORLD_CHECK(hospital->world, failure == OK);
    struct posting posting = {scope_federation(), AUDIENCE_CLEAR, buffer_bytes(&out), {0}};
    (void)hospital_post(hospital, &posting);
}

void clinic_body(struct hospital *hospital, const struct saying *saying, struct buffer *out)
{
    static uint8_t memory[STATEMENT_CONTENT_SIZE_MAX];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct statement statement = {.kind = saying->kind};
    const struct kind_rule *rule = kind_rule(saying->kind);
    err failure = content_write(content_registry_table(saying->kind), saying->content, &content);
    statement.content = buffer_bytes(&content);
    if (rule->signing == KIND_BY_CLINICIAN) {
        struct statement_place place = {hospital->config.federation, saying->scope, hospital->node};
        struct statement_author author = {.cert_id = hospital->cert_id,
                                          .time = hospital_wall(hospital)};
        statement_sign(&statement, &place, &author, hospital->clinician_secret);
    }
    if (failure == OK)
        failure = statement_write(&statement, out);
    if (failure != OK)
        world_fail(hospital->world, "a content that cannot be written", kind_name(saying->kind));
}

uint64_t clinic_say(struct hospital *hospital, const struct saying *saying)
{
    uint8_t body[8192];
    struct buffer out = buffer_over(body, sizeof body);
    clinic_body(hospital, saying, &out);
    struct posting posting = {saying->scope, saying->audience, buffer_bytes(&out), saying->expires};
    return hospital_post(hospital, &posting);
}

struct scope clinic_board(const struct world *world)
{
    int board = roster_board_of_tag(&world->society.roster, bytes_of_text("hematology"));
    return roster_board_scope(&world->society.roster, (uint32_t)board);
}

static struct announcement clinic_announcement(struct hospital *hospital)
{
    return (struct announcement){.specialty = bytes_of_text("hematology"),
                                 .service = ANNOUNCEMENT_CLINICAL_CONSULT,
                                 .reason = ANNOUNCEMENT_SERIOUS,
                                 .question = bytes_of_text("What now?"),
                                 .wanted_count = 2,
                                 .deadline = {hospital_wall(hospital).ms + 30 * DAY_MS},
                                 .language = bytes_of_text("en"),
                                 .mode = ANNOUNCEMENT_OPEN};
}

uint64_t clinic_announce(struct hospital *hospital, struct wall expires)
{
    struct announcement announcement = clinic_announcement(hospital);
    prng_bytes(&hospital->world->prng, announcement.case_id.bytes, HASH_SIZE);
    struct saying saying = {clinic_board(hospital->world), AUDIENCE_SCOPE, KIND_ANNOUNCEMENT,
                            &announcement, expires};
    return clinic_say(hospital, &saying);
}

/* A case that is opened; its announcement goes out next. */
struct clinic_question {
    uint32_t number;
    struct case_record_open open;
    struct announcement announcement;
    uint8_t memory[4096];
};

static void clinic_open(struct hospital *hospital, struct clinic_question *question)
{
    struct world *world = hospital->world;
    WORLD_CHECK(world, world->case_count < WORLD_CASES_MAX);
    struct buffer content = buffer_over(question->memory, sizeof question->memory);
    struct case_record_open *open = &question->open;
    question->number = world->case_count++;
    open->requester = hospital->node;
    prng_bytes(&world->prng, open->opening.bytes, sizeof open->opening.bytes);
    struct case_id id =
        case_record_case_id(&hospital->config.federation, &hospital->node, &open->opening);
    world->cases[question->number] = (struct sim_case){id, hospital->index};
    question->announcement.case_id = id;
    WORLD_CHECK(world, announcement_write(&question->announcement, &content) == OK);
    open->announcement = buffer_bytes(&content);
    struct saying opening = {scope_case(&id), AUDIENCE_SCOPE, KIND_OPEN, open, {0}};
    (void)clinic_say(hospital, &opening);
}

uint32_t clinic_ask(struct hospital *hospital, enum announcement_mode mode, uint64_t wanted)
{
    struct clinic_question question = {.announcement = clinic_announcement(hospital)};
    question.announcement.mode = mode;
    question.announcement.wanted_count = wanted;
    clinic_open(hospital, &question);
    struct saying saying = {clinic_board(hospital->world),
                            AUDIENCE_SCOPE,
                            KIND_ANNOUNCEMENT,
                            &question.announcement,
                            {hospital_wall(hospital).ms + 60 * DAY_MS}};
    (void)clinic_say(hospital, &saying);
    return question.number;
}

uint32_t clinic_direct(struct hospital *hospital, const struct hospital *to,
                       enum announcement_mode mode)
{
    struct clinic_question question = {.announcement = clinic_announcement(hospital)};
    question.announcement.mode = mode;
    question.open.directed[0] = to->node;
    question.open.directed_count = 1;
    clinic_open(hospital, &question);
    struct mail_directed directed = {.announcement = question.open.announcement,
                                     .opening = question.open.opening};
    struct saying saying = {scope_mail(&to->node),
                            AUDIENCE_SCOPE,
                            KIND_DIRECTED,
                            &directed,
                            {hospital_wall(hospital).ms + 60 * DAY_MS}};
    (void)clinic_say(hospital, &saying);
    return question.number;
}

struct scope clinic_case(const struct world *world, uint32_t number)
{
    return scope_case(&world->cases[number].id);
}

static struct saying clinic_joining(struct hospital *hospital, uint32_t number,
                                    struct mail_join *join)
{
    const struct world *world = hospital->world;
    const struct sim_case *asked = &world->cases[number];
    *join = (struct mail_join){.case_id = asked->id, .announcement = {{1}}};
    return (struct saying){scope_mail(&world->hospitals[asked->requester].node),
                           AUDIENCE_SCOPE,
                           KIND_JOIN,
                           join,
                           {hospital_wall(hospital).ms + 60 * DAY_MS}};
}

uint64_t clinic_join(struct hospital *hospital, uint32_t number)
{
    struct mail_join join;
    struct saying saying = clinic_joining(hospital, number, &join);
    return clinic_say(hospital, &saying);
}

void clinic_join_body(struct hospital *hospital, uint32_t number, struct buffer *out)
{
    struct mail_join join;
    struct saying saying = clinic_joining(hospital, number, &join);
    clinic_body(hospital, &saying, out);
}

uint64_t clinic_opine(struct hospital *hospital, uint32_t number, enum announcement_mode mode)
{
    struct opinion opinion = {.announcement = {{1}},
                              .stream_head = {1, 1, {{1}}},
                              .roster_head = roster_current_id(&hospital->roster),
                              .manifest_root = {{1}},
                              .sentence = bytes_of_text(OPINION_SENTENCE),
                              .text = bytes_of_text("Go on."),
                              .language = bytes_of_text("en")};
    struct saying saying = {clinic_case(hospital->world, number),
                            mode == ANNOUNCEMENT_OPEN ? AUDIENCE_SCOPE : AUDIENCE_REQUESTER,
                            KIND_OPINION,
                            &opinion,
                            {0}};
    return clinic_say(hospital, &saying);
}

uint64_t clinic_post(struct hospital *hospital, uint32_t number)
{
    struct case_record_post post = {.text = bytes_of_text("A word.")};
    struct saying saying = {
        clinic_case(hospital->world, number), AUDIENCE_SCOPE, KIND_POST, &post, {0}};
    return clinic_say(hospital, &saying);
}
