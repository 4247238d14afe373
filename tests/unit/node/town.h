/* A few hospitals in one process: real shells, real stores in a folder of their own, real
 * statements; only the wires between them are a test's. Include after cmocka.
 *
 * A wire takes frames into a queue and hands them over when the loop turns, so nothing is called
 * back from within a send. */
#ifndef CONSILIUM_TESTS_UNIT_NODE_TOWN_H
#define CONSILIUM_TESTS_UNIT_NODE_TOWN_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/federation/audit_check.h"
#include "node/federation/heads.h"
#include "node/io/log.h"
#include "node/items/items.h"
#include "protocol/consult/announcement.h"
#include "protocol/consult/mail.h"
#include "protocol/consult/opinion.h"
#include "protocol/consult/vocabulary.h"
#include "store/record_table.h"
#include "store/row_table.h"
#include "tests/unit/protocol/federation.h"

enum {
    TOWN_HOUSE_COUNT = 3,
    TOWN_WIRE_COUNT = 16,
    TOWN_PATIENCE_MS = 60 * 1000,
    TOWN_CONTENT_MAX = 60000,
};

struct town;

struct town_frame {
    struct town_frame *next;
    size_t size;
    uint8_t data[];
};

/* One direction of a wire. */
struct town_lane {
    struct town_frame *first;
    struct town_frame **end;
    size_t count;
};

struct town_house {
    struct town *town;
    uint32_t number;
    struct node_id node;
    struct transport_key transport;
    uint8_t sign_secret[64];
    uint8_t clinician_secret[64];
    uint8_t store_key[32];
    struct cert_id cert_id;
    char data[128];
    struct shell *shell;
    struct items *items;
    unsigned told[0x500]; /* news by kind */
    unsigned hung_up;
};

struct town_wire {
    bool is_up;
    struct town_house *ends[2];
    struct link_id links[2];   /* as each end knows it */
    struct town_lane lanes[2]; /* to each end */
};

struct town {
    char folder[64];
    uint64_t founded_ms;
    uv_loop_t loop;
    uv_timer_t beat; /* so that a turn of the loop never waits long */
    struct workers *workers;
    struct federation society;
    struct town_house houses[TOWN_HOUSE_COUNT];
    struct town_wire wires[TOWN_WIRE_COUNT];
    uint32_t link_last;
    size_t lane_max; /* frames that a lane takes; 0: no bound */
    bool grants_by_hand;
    uint64_t survey_ms;
    bool has_markers; /* beside the houses' stores */
    /* looks at, alters or loses (false) a frame on its way; NULL: none */
    bool (*on_frame)(void *arg, const struct town_house *from, const struct town_house *to,
                     struct town_frame *frame);
    void *arg;
};

/* ---- wires ---- */

static inline err town_send(void *arg, struct link_id link, struct bytes frame)
{
    struct town_house *house = arg;
    struct town *town = house->town;
    for (size_t i = 0; i < TOWN_WIRE_COUNT; i++) {
        struct town_wire *wire = &town->wires[i];
        for (int end = 0; wire->is_up && end < 2; end++) {
            struct town_lane *lane = &wire->lanes[1 - end];
            if (wire->ends[end] != house || wire->links[end].value != link.value)
                continue;
            if (town->lane_max > 0 && lane->count >= town->lane_max)
                return ERR_BUSY;
            struct town_frame *kept = malloc(sizeof *kept + frame.size);
            assert_non_null(kept);
            assert_true(frame.size <= (size_t)FRAME_SIZE_MAX);
            kept->next = NULL;
            kept->size = frame.size;
            memcpy(kept->data, frame.data, frame.size);
            *lane->end = kept;
            lane->end = &kept->next;
            lane->count++;
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

static inline void town_lane_clear(struct town_lane *lane)
{
    while (lane->first != NULL) {
        struct town_frame *frame = lane->first;
        lane->first = frame->next;
        free(frame);
    }
    lane->end = &lane->first;
    lane->count = 0;
}

static inline void town_cut_wire(struct town_wire *wire)
{
    if (!wire->is_up)
        return;
    wire->is_up = false;
    for (int end = 0; end < 2; end++) {
        town_lane_clear(&wire->lanes[end]);
        if (wire->ends[end]->shell != NULL)
            shell_link_down(wire->ends[end]->shell, wire->links[end]);
    }
}

static inline void town_hang_up(void *arg, struct link_id link)
{
    struct town_house *house = arg;
    house->hung_up++;
    for (size_t i = 0; i < TOWN_WIRE_COUNT; i++) {
        struct town_wire *wire = &house->town->wires[i];
        if ((wire->ends[0] == house && wire->links[0].value == link.value) ||
            (wire->ends[1] == house && wire->links[1].value == link.value))
            town_cut_wire(wire);
    }
}

static inline void town_connect(struct town *town, int a, int b)
{
    struct town_wire *wire = town->wires;
    while (wire->is_up)
        wire++;
    wire->is_up = true;
    wire->ends[0] = &town->houses[a];
    wire->ends[1] = &town->houses[b];
    for (int end = 0; end < 2; end++) {
        wire->links[end].value = ++town->link_last;
        wire->lanes[end].end = &wire->lanes[end].first;
    }
    for (int end = 0; end < 2 && wire->is_up; end++)
        shell_link_up(wire->ends[end]->shell, wire->links[end], &wire->ends[1 - end]->transport);
}

static inline void town_cut(struct town *town, int a, int b)
{
    for (size_t i = 0; i < TOWN_WIRE_COUNT; i++) {
        struct town_wire *wire = &town->wires[i];
        if (wire->is_up &&
            ((wire->ends[0] == &town->houses[a] && wire->ends[1] == &town->houses[b]) ||
             (wire->ends[1] == &town->houses[a] && wire->ends[0] == &town->houses[b])))
            town_cut_wire(wire);
    }
}

/* Hands over what lies on the wires now. True when there was anything. */
static inline bool town_deliver(struct town *town)
{
    bool is_any = false;
    for (size_t i = 0; i < 2 * TOWN_WIRE_COUNT; i++) {
        struct town_wire *wire = &town->wires[i / 2];
        int end = i % 2;
        for (size_t left = wire->lanes[end].count; wire->is_up && left > 0; left--) {
            struct town_lane *lane = &wire->lanes[end];
            struct town_frame *frame = lane->first;
            lane->first = frame->next;
            if (lane->first == NULL)
                lane->end = &lane->first;
            lane->count--;
            is_any = true;
            if (town->on_frame == NULL ||
                town->on_frame(town->arg, wire->ends[1 - end], wire->ends[end], frame))
                shell_frame(wire->ends[end]->shell, wire->links[end],
                            (struct bytes){frame->data, frame->size});
            free(frame);
        }
        if (wire->is_up && town->lane_max > 0 && wire->ends[1 - end]->shell != NULL)
            shell_link_drained(wire->ends[1 - end]->shell, wire->links[1 - end]);
    }
    return is_any;
}

/* ---- time ---- */

static inline void town_on_beat(uv_timer_t *timer)
{
    (void)timer;
}

static inline void town_turn(struct town *town)
{
    (void)uv_run(&town->loop, town_deliver(town) ? UV_RUN_NOWAIT : UV_RUN_ONCE);
}

/* Turns the loop until `is_so`. False when the patience is over. */
static inline bool town_until(struct town *town, bool (*is_so)(void *arg), void *arg)
{
    uint64_t end = shell_mono().ms + TOWN_PATIENCE_MS;
    while (!is_so(arg)) {
        if (shell_mono().ms > end)
            return false;
        town_turn(town);
    }
    return true;
}

/* What the check of a house's audit log finds, step by step. */
static inline struct audit_verdict town_audit(struct town *town, int which)
{
    struct audit_check *check = audit_check_new(town->houses[which].shell);
    bool is_done = false;
    assert_non_null(check);
    while (!is_done)
        assert_int_equal(OK, audit_check_step(check, &is_done));
    struct audit_verdict verdict = audit_check_verdict(check);
    audit_check_free(check);
    return verdict;
}

/* Lets so much time pass: for what must not happen. */
static inline void town_pass(struct town *town, uint64_t ms)
{
    uint64_t end = shell_mono().ms + ms;
    while (shell_mono().ms < end)
        town_turn(town);
}

/* ---- houses ---- */

static inline void town_on_news(void *arg, const struct shell_news *news)
{
    struct town_house *house = arg;
    if (news->kind < sizeof house->told / sizeof house->told[0])
        house->told[news->kind]++;
}

static inline void town_open(struct town *town, int which)
{
    struct town_house *house = &town->houses[which];
    char problem[STORE_PROBLEM_SIZE];
    char marker[160];
    snprintf(marker, sizeof marker, "%s.marker", house->data);
    struct shell_config config = {.name = "town",
                                  .data = house->data,
                                  .federation = roster_federation(&town->society.roster),
                                  .self = house->node,
                                  .sign_secret = house->sign_secret,
                                  .store_key = house->store_key,
                                  .loop = &town->loop,
                                  .workers = town->workers,
                                  .grants_by_hand = town->grants_by_hand,
                                  .survey_ms = town->survey_ms,
                                  .marker = town->has_markers ? marker : NULL};
    err failure = shell_open(&config, problem, &house->shell);
    if (failure != OK)
        print_error("%s\n", problem);
    assert_int_equal(OK, failure);
    assert_int_equal(OK, items_new(house->shell, &house->items));
    struct shell_links links = {.send = town_send, .hang_up = town_hang_up, .arg = house};
    shell_attach_links(house->shell, &links);
    shell_listen(house->shell, town_on_news, house);
}

static inline void town_shut(struct town *town, int which)
{
    struct town_house *house = &town->houses[which];
    for (size_t i = 0; i < TOWN_WIRE_COUNT; i++) {
        if (town->wires[i].ends[0] == house || town->wires[i].ends[1] == house)
            town_cut_wire(&town->wires[i]);
    }
    if (house->shell == NULL)
        return;
    items_free(house->items);
    shell_close(house->shell);
    house->items = NULL;
    house->shell = NULL;
    for (int i = 0; i < 8; i++) /* what is closed goes when the loop turns */
        (void)uv_run(&town->loop, UV_RUN_NOWAIT);
}

/* Puts the roster into the house's store, as taking an invitation does. */
static inline void town_admit(struct town *town, int which)
{
    struct town_house *house = &town->houses[which];
    struct federation_id federation = roster_federation(&town->society.roster);
    struct store_options options = {.owner = shell_owner(&federation, &house->node)};
    char problem[STORE_PROBLEM_SIZE];
    struct store *store;
    uint8_t memory[4 + HEAD_SIZE_MAX];
    struct buffer heads = buffer_over(memory, sizeof memory);
    void *roster_memory;
    struct roster roster =
        federation_roster(roster_plan_small(), house->node, &federation, &roster_memory);
    assert_int_equal(OK, roster_apply(&roster, town->society.signed_head, &town->society.delta,
                                      town->society.now));
    buffer_u32(&heads, (uint32_t)town->society.signed_head.size);
    buffer_put(&heads, town->society.signed_head.data, town->society.signed_head.size);
    assert_int_equal(OK, store_open(house->data, house->store_key, &options, problem, &store));
    assert_int_equal(OK, heads_keep(store, &roster, buffer_bytes(&heads)));
    store_close(store);
    free(roster_memory);
}

static inline void town_found(struct town *town, uint64_t founded_ms)
{
    struct settings settings;
    federation_begin(&town->society, roster_plan_small());
    town->society.now.ms = founded_ms;
    federation_settings(&settings);
    settings.relay_count = 0;
    federation_put_settings(&town->society, &settings);
    for (uint32_t i = 1; i <= TOWN_HOUSE_COUNT; i++) {
        struct member member = federation_member(i, 1);
        federation_put_member(&town->society, &member);
    }
    assert_int_equal(OK, federation_draft(&town->society));
    assert_int_equal(OK, federation_take(&town->society));
}

/* All houses open and nobody connected. `folder` NULL: founded now; else what an earlier process
 * left there, which founded it at the same time. */
static inline struct town *town_new_at(const char *folder, uint64_t founded_ms)
{
    struct town *town = calloc(1, sizeof *town);
    assert_non_null(town);
    log_init(getenv("TOWN_LOG") != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
    snprintf(town->folder, sizeof town->folder, "%s",
             folder == NULL ? "/tmp/consilium-town-XXXXXX" : folder);
    if (folder == NULL)
        assert_non_null(mkdtemp(town->folder));
    town->founded_ms = founded_ms;
    assert_int_equal(0, uv_loop_init(&town->loop));
    uv_timer_init(&town->loop, &town->beat);
    uv_timer_start(&town->beat, town_on_beat, 5, 5);
    assert_int_equal(OK, workers_new(&town->loop, 2, 64, &town->workers));
    town_found(town, founded_ms);
    for (int i = 0; i < TOWN_HOUSE_COUNT; i++) {
        struct town_house *house = &town->houses[i];
        struct member member = federation_member((uint32_t)i + 1, 1);
        uint8_t public_key[32];
        house->town = town;
        house->number = (uint32_t)i + 1;
        house->node = member.node_id;
        house->transport = member.transport_key;
        federation_key(house->number, 2, public_key, house->sign_secret);
        federation_key(house->number, 7, public_key, house->clinician_secret);
        memset(house->store_key, (int)house->number, sizeof house->store_key);
        snprintf(house->data, sizeof house->data, "%s/%d", town->folder, i);
        if (folder == NULL)
            town_admit(town, i);
        town_open(town, i);
    }
    return town;
}

static inline struct town *town_new(void)
{
    return town_new_at(NULL, shell_wall().ms - 10 * FEDERATION_HOUR_MS);
}

static inline int town_remove(const char *path, const struct stat *status, int kind,
                              struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void town_free(struct town *town)
{
    for (int i = 0; i < TOWN_HOUSE_COUNT; i++)
        town_shut(town, i);
    workers_free(town->workers);
    uv_close((uv_handle_t *)&town->beat, NULL);
    (void)uv_run(&town->loop, UV_RUN_DEFAULT);
    assert_int_equal(0, uv_loop_close(&town->loop));
    federation_end(&town->society);
    assert_int_equal(0, nftw(town->folder, town_remove, 16, FTW_DEPTH | FTW_PHYS));
    free(town);
}

/* ---- writing ---- */

struct town_posted {
    bool is_done;
    struct shell_done done;
};

static inline void town_on_posted(void *arg, const struct shell_done *done)
{
    struct town_posted *posted = arg;
    assert_false(posted->is_done);
    posted->is_done = true;
    posted->done = *done;
}

static inline bool town_is_posted(void *arg)
{
    return ((struct town_posted *)arg)->is_done;
}

/* Begins to write; `posted` lives until it is done. */
static inline void town_begin(struct town_house *house, const struct scope *scope, uint16_t kind,
                              const void *value, struct town_posted *posted)
{
    static uint8_t content_memory[TOWN_CONTENT_MAX], body_memory[RECORD_SIZE_MAX];
    struct buffer content = buffer_over(content_memory, sizeof content_memory);
    struct buffer body = buffer_over(body_memory, sizeof body_memory);
    const struct kind_rule *rule = kind_rule(kind);
    struct statement statement = {.kind = kind};
    assert_int_equal(OK, content_write(vocabulary_table(kind), value, &content));
    statement.content = buffer_bytes(&content);
    if (rule->signing == KIND_BY_CLINICIAN) {
        struct statement_place place = {roster_federation(&house->town->society.roster), *scope,
                                        house->node};
        struct statement_author author = {.cert_id = house->cert_id, .time = shell_wall()};
        statement_sign(&statement, &place, &author, house->clinician_secret);
    }
    assert_int_equal(OK, statement_write(&statement, &body));
    bool is_clear = (rule->audiences & KIND_CLEAR) != 0;
    struct shell_post post = {.scope = *scope,
                              .audience = is_clear ? AUDIENCE_CLEAR : AUDIENCE_SCOPE,
                              .plaintext = buffer_bytes(&body)};
    memset(posted, 0, sizeof *posted);
    shell_post(house->shell, &post, town_on_posted, posted);
}

/* Writes, and waits until it is durable. */
static inline struct record_id town_write(struct town_house *house, const struct scope *scope,
                                          uint16_t kind, const void *value)
{
    struct town_posted posted;
    town_begin(house, scope, kind, value, &posted);
    assert_true(town_until(house->town, town_is_posted, &posted));
    assert_int_equal(OK, posted.done.verdict);
    return posted.done.record;
}

/* The house's clinician gets a certificate. */
static inline void town_certify(struct town_house *house)
{
    uint8_t request_memory[CERTIFICATE_REQUEST_SIZE_MAX], memory[CERTIFICATE_SIZE_MAX];
    struct buffer request = buffer_over(request_memory, sizeof request_memory);
    struct buffer content = buffer_over(memory, sizeof memory);
    uint8_t secret[64];
    struct certificate_request asked = {.federation =
                                            roster_federation(&house->town->society.roster),
                                        .node_id = house->node,
                                        .name = bytes_of_text("Dr. Example"),
                                        .credentials = bytes_of_text("MD"),
                                        .specialties = {bytes_of_text("hematology")},
                                        .specialty_count = 1,
                                        .country = bytes_of_text("DE")};
    federation_key(house->number, 7, asked.clinician_key.bytes, secret);
    assert_int_equal(OK, certificate_request_write(&asked, &request));
    struct certificate_issue issue = {.request = buffer_bytes(&request),
                                      .serial = 1,
                                      .valid_from = {shell_wall().ms - FEDERATION_HOUR_MS},
                                      .valid_until = {shell_wall().ms + 100 * FEDERATION_HOUR_MS}};
    certificate_prove(issue.request, house->clinician_secret, &issue.possession);
    assert_int_equal(OK, certificate_write(&issue, house->sign_secret, &content, &house->cert_id));
    struct certificate_envelope envelope;
    struct scope scope = scope_federation();
    assert_int_equal(OK, certificate_envelope_read(buffer_bytes(&content), &envelope));
    (void)town_write(house, &scope, KIND_CERTIFICATE, &envelope);
}

/* ---- a case ---- */

struct town_case {
    struct case_id id;
    struct scope scope;
    struct caserecord_opening opening;
    struct record_id announcement;
};

static inline struct announcement town_announcement(const struct case_id *case_id)
{
    return (struct announcement){.case_id = *case_id,
                                 .specialty = bytes_of_text("hematology"),
                                 .service = ANNOUNCEMENT_CLINICAL_CONSULT,
                                 .reason = ANNOUNCEMENT_RARE,
                                 .question = bytes_of_text("Is the marrow what it seems to be?"),
                                 .wanted_count = 2,
                                 .deadline = {shell_wall().ms + 48 * FEDERATION_HOUR_MS},
                                 .language = bytes_of_text("en"),
                                 .mode = ANNOUNCEMENT_OPEN};
}

/* `house` opens a case and announces it on the board. */
static inline struct town_case town_ask(struct town_house *house, uint8_t seed)
{
    struct town_case one = {.opening = {{seed, 1, 2, 3}}};
    struct federation_id federation = roster_federation(&house->town->society.roster);
    uint8_t memory[4096];
    struct buffer content = buffer_over(memory, sizeof memory);
    one.id = caserecord_case_id(&federation, &house->node, &one.opening);
    one.scope = scope_case(&one.id);
    struct announcement announcement = town_announcement(&one.id);
    memcpy(announcement.opening.bytes, one.opening.bytes, HASH_SIZE);
    assert_int_equal(OK, announcement_write(&announcement, &content));
    struct caserecord_open open = {
        .opening = one.opening, .requester = house->node, .announcement = buffer_bytes(&content)};
    (void)town_write(house, &one.scope, KIND_OPEN, &open);
    struct scope board = scope_board(&federation, bytes_of_text("hematology"));
    one.announcement = town_write(house, &board, KIND_ANNOUNCEMENT, &announcement);
    return one;
}

static inline struct record_id town_join(struct town_house *house, const struct town_house *asker,
                                         const struct town_case *one)
{
    struct mail_join join = {.case_id = one->id, .announcement = one->announcement};
    struct scope scope = scope_mail(&asker->node);
    return town_write(house, &scope, KIND_JOIN, &join);
}

struct town_access {
    const struct town_house *house; /* whose view */
    const struct town_house *about;
    const struct case_id *case_id;
};

/* Does `house` know that `about` has access to the case? */
static inline bool town_has_access(void *arg)
{
    const struct town_access *access = arg;
    const struct consult *consult = shell_case(access->house->shell, access->case_id);
    const struct consult_participant *part =
        consult == NULL ? NULL : consult_participant_of(consult, &access->about->node);
    return part != NULL && !part->is_ended;
}

/* `house` joins and, when this returns, knows that it was granted. */
static inline void town_take_part(struct town_house *house, struct town_house *asker,
                                  const struct town_case *one)
{
    struct town_access access = {house, house, &one->id};
    (void)town_join(house, asker, one);
    assert_true(town_until(house->town, town_has_access, &access));
}

/* All houses certified and connected with each other. */
static inline struct town *town_new_in_touch(void)
{
    struct town *town = town_new();
    for (int i = 0; i < TOWN_HOUSE_COUNT; i++) {
        for (int j = i + 1; j < TOWN_HOUSE_COUNT; j++)
            town_connect(town, i, j);
    }
    for (int i = 0; i < TOWN_HOUSE_COUNT; i++)
        town_certify(&town->houses[i]);
    return town;
}

/* Does `house` hold the record? */
struct town_sought {
    const struct town_house *house;
    struct record_id id;
};
static inline bool town_holds(void *arg)
{
    const struct town_sought *sought = arg;
    return record_table_has(shell_store(sought->house->shell), &sought->id);
}
static inline bool town_spreads(struct town *town, int to, const struct record_id *id)
{
    struct town_sought sought = {&town->houses[to], *id};
    return town_until(town, town_holds, &sought);
}

#endif
