#include "tests/harness/single_said.h"

/* ---- the others ---- */

void single_meet(struct single *single, uint32_t who)
{
    uint8_t memory[256];
    struct buffer frame = buffer_over(memory, sizeof memory);
    const struct roster *roster = &single->federation.roster;
    struct event event = single_event(single, EVENT_LINK_UP);
    struct member member = federation_member(who, 1);
    event.link.value = who;
    event.peer = member.transport_key;
    single_give(single, &event);
    struct frame_hello hello = {.version_min = FRAME_VERSION,
                                .version_max = FRAME_VERSION,
                                .federation = roster_federation(roster),
                                .epoch = roster_current_head(roster)->epoch,
                                .head = roster_current_id(roster),
                                .time = event.wall};
    frame_hello_write(&frame, &hello);
    single_hear(single, who, buffer_bytes(&frame));
}

void single_statement(const struct single *single, uint32_t who, const struct scope *scope,
                      struct statement *statement, struct buffer *out)
{
    const struct single_hospital *hospital = &single->hospitals[who];
    const struct kind_rule *rule = kind_rule(statement->kind);
    if (rule != NULL && rule->signing == KIND_BY_CLINICIAN) {
        struct statement_place place = {single->config.federation, *scope, hospital->node};
        struct statement_author author = {.cert_id = hospital->cert_id,
                                          .time = single_event(single, EVENT_TICK).wall};
        statement_sign(statement, &place, &author, hospital->clinician_secret);
    }
    if (statement_write(statement, out) != OK)
        out->failed = true;
}

struct record_header single_header(const struct single *single, uint32_t who,
                                   const struct scope *scope)
{
    return (struct record_header){.federation = single->config.federation,
                                  .stream = {*scope, single->hospitals[who].node, 1},
                                  .audience = scope->kind == SCOPE_FEDERATION ? AUDIENCE_CLEAR
                                                                              : AUDIENCE_SCOPE,
                                  .sequence = 1,
                                  .head = roster_current_id(&single->federation.roster),
                                  .time = single_event(single, EVENT_TICK).wall};
}

bool single_record(struct single *single, uint32_t who, struct record_header *header,
                   struct bytes plaintext, struct buffer *frame)
{
    static uint8_t memory[RECORD_SIZE_MAX];
    struct record_secrets secrets = {.sign_secret = single->hospitals[who].sign_secret};
    struct buffer out = buffer_over(memory, sizeof memory);
    secrets.key.bytes[0] = (uint8_t)header->sequence;
    secrets.key.bytes[1] = (uint8_t)who;
    if (record_seal(header, plaintext, &secrets, &out, &header->previous) != OK)
        return false;
    header->sequence++;
    frame_record_write(frame, &(struct frame_record){header->audience != AUDIENCE_CLEAR,
                                                     secrets.key, buffer_bytes(&out)});
    return !frame->failed;
}

/* ---- making one ---- */

void single_post(struct single *single, const struct scope *scope, enum audience audience,
                 struct bytes plaintext)
{
    struct event event = single_event(single, EVENT_POST);
    event.token.value = 1;
    event.post.scope = *scope;
    event.post.audience = audience;
    event.post.plaintext = plaintext;
    single_give(single, &event);
}

/* The content of a CERTIFICATE for the clinician of hospital `who`. */
static void single_certificate(struct single *single, uint32_t who, struct buffer *out)
{
    static uint8_t asked[CERTIFICATE_REQUEST_SIZE_MAX];
    struct single_hospital *hospital = &single->hospitals[who];
    struct buffer bytes = buffer_over(asked, sizeof asked);
    struct certificate_request request = {.federation = single->config.federation,
                                          .node_id = hospital->node,
                                          .clinician_key = hospital->clinician_key,
                                          .name = bytes_of_text("Lin Wei"),
                                          .credentials = bytes_of_text("MD"),
                                          .specialties = {bytes_of_text("hematology")},
                                          .specialty_count = 1,
                                          .country = bytes_of_text("CH")};
    single_must(certificate_request_write(&request, &bytes) == OK);
    struct certificate_issue issue = {.request = buffer_bytes(&bytes),
                                      .serial = 1,
                                      .valid_from = {FEDERATION_START_MS},
                                      .valid_until = {FEDERATION_START_MS * 2}};
    certificate_prove(issue.request, hospital->clinician_secret, &issue.possession);
    single_must(certificate_write(&issue, hospital->sign_secret, out, &hospital->cert_id) == OK);
}

struct single *single_new_holding(uint32_t held_count_max)
{
    struct single *single = calloc(1, sizeof *single);
    single_must(single != NULL);
    federation_found(&single->federation, roster_plan_small(), SINGLE_HOSPITALS);
    single->step.arena = malloc(STEP_ARENA_SIZE);
    single->now_ms = 1000;
    for (uint32_t who = 1; who <= SINGLE_HOSPITALS; who++) {
        struct single_hospital *hospital = &single->hospitals[who];
        hospital->node = federation_node(who);
        federation_key(who, 2, hospital->sign_key.bytes, hospital->sign_secret);
        federation_key(who, 9, hospital->clinician_key.bytes, hospital->clinician_secret);
    }
    struct engine_config *config = &single->config;
    engine_config_defaults(config);
    config->federation = roster_federation(&single->federation.roster);
    config->self = federation_node(SINGLE_SELF);
    config->roster = &single->federation.roster;
    config->stream_count_max = config->mark_count_max = 256;
    config->missing_count_max = 256;
    config->case_count_max = config->case_awake_max = 8;
    config->clinician_count_max = 64;
    config->writer_count_max = 128;
    config->held_count_max = held_count_max;
    config->deposit_count_max = held_count_max;
    config->reach_count_max = held_count_max == 0 ? 0 : 64;
    single->engine_size = (engine_memory_size(config) + 15) & ~(size_t)15;
    single->engine_memory = aligned_alloc(16, single->engine_size);
    single->saved_memory = malloc(single->engine_size);
    single_must(single->engine_memory != NULL && single->saved_memory != NULL &&
                single->step.arena != NULL);
    memset(single->engine_memory, 0, single->engine_size);
    single_start(single, engine_new(single->engine_memory, config));
    return single;
}

struct single *single_new(void)
{
    return single_new_holding(0);
}

void single_introduce(struct single *single)
{
    static uint8_t made[CERTIFICATE_SIZE_MAX], body[8192], memory[FRAME_SIZE_MAX];
    struct scope scope = scope_federation();
    for (uint32_t who = SINGLE_HOSPITALS; who >= SINGLE_SELF; who--) {
        struct buffer content = buffer_over(made, sizeof made);
        struct buffer out = buffer_over(body, sizeof body);
        struct statement statement = {.kind = KIND_CERTIFICATE};
        if (who != SINGLE_SELF)
            single_meet(single, who);
        single_certificate(single, who, &content);
        statement.content = buffer_bytes(&content);
        single_statement(single, who, &scope, &statement, &out);
        if (who == SINGLE_SELF) {
            single_post(single, &scope, AUDIENCE_CLEAR, buffer_bytes(&out));
            single_must(single->done_verdict == OK);
            break;
        }
        struct record_header header = single_header(single, who, &scope);
        struct buffer frame = buffer_over(memory, sizeof memory);
        frame_records_begin(&frame);
        single_must(single_record(single, who, &header, buffer_bytes(&out), &frame));
        frame_records_end(&frame, 1);
        single_hear(single, who, buffer_bytes(&frame));
        single_must(engine_clinician(single->engine, &single->hospitals[who].cert_id) != NULL);
    }
}

void single_say(struct single *single, const struct scope *scope, uint16_t kind, const void *value)
{
    static uint8_t memory[8192], body[16384];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct buffer out = buffer_over(body, sizeof body);
    struct statement statement = {.kind = kind};
    single_must(content_write(content_registry_table(kind), value, &content) == OK);
    statement.content = buffer_bytes(&content);
    single_statement(single, SINGLE_SELF, scope, &statement, &out);
    single_post(single, scope, AUDIENCE_SCOPE, buffer_bytes(&out));
    single_must(!out.failed && single->done_verdict == OK);
}

struct scope single_ask(struct single *single)
{
    uint8_t memory[4096];
    struct buffer content = buffer_over(memory, sizeof memory);
    struct case_record_open open = {.opening = {{0x40}}, .requester = single->config.self};
    struct announcement announcement = {
        .case_id = case_record_case_id(&single->config.federation, &open.requester, &open.opening),
        .specialty = bytes_of_text("hematology"),
        .service = ANNOUNCEMENT_CLINICAL_CONSULT,
        .reason = ANNOUNCEMENT_SERIOUS,
        .question = bytes_of_text("What now?"),
        .wanted_count = 2,
        .deadline = {FEDERATION_START_MS * 2},
        .language = bytes_of_text("en"),
        .mode = ANNOUNCEMENT_INDEPENDENT_FIRST};
    struct scope board = scope_board(&single->config.federation, announcement.specialty);
    struct scope scope = scope_case(&announcement.case_id);
    single_must(announcement_write(&announcement, &content) == OK);
    open.announcement = buffer_bytes(&content);
    single_say(single, &scope, KIND_OPEN, &open);
    single_say(single, &board, KIND_ANNOUNCEMENT, &announcement);
    for (uint32_t who = 2; who <= SINGLE_HOSPITALS; who++) {
        struct case_record_grant grant = {.participant = single->hospitals[who].node};
        single_say(single, &scope, KIND_GRANT, &grant);
    }
    return scope;
}

void single_save(struct single *single)
{
    memcpy(single->saved_memory, single->engine_memory, single->engine_size);
    single->saved_count = single->kept_count;
    single->saved_ms = single->now_ms;
    single->saved_sealed = single->sealed;
}

void single_restore(struct single *single)
{
    memcpy(single->engine_memory, single->saved_memory, single->engine_size);
    while (single->kept_count > single->saved_count) {
        struct single_record *record = &single->kept[--single->kept_count];
        free(record->bytes);
        *record = (struct single_record){.size = 0};
    }
    single->now_ms = single->saved_ms;
    single->sealed = single->saved_sealed;
    single->has_no_room = false;
    single->counts = (struct single_counts){.sent = 0};
}

void single_free(struct single *single)
{
    single->saved_count = 0;
    single_restore(single);
    interpreter_clear(&single->interpreter);
    free(single->engine_memory);
    free(single->saved_memory);
    free(single->step.arena);
    federation_end(&single->federation);
    free(single);
}
