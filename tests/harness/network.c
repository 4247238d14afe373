#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/harness/network.h"

#include <lmdb.h>

/* ---- wires ---- */

static err network_send(void *arg, struct link_id link, struct bytes frame)
{
    struct network_house *house = arg;
    struct network *network = house->network;
    for (size_t i = 0; i < NETWORK_WIRE_COUNT; i++) {
        struct network_wire *wire = &network->wires[i];
        for (int end = 0; wire->is_up && end < 2; end++) {
            struct network_lane *lane = &wire->lanes[1 - end];
            if (wire->ends[end] != house || wire->links[end].value != link.value)
                continue;
            if (network->lane_max > 0 && lane->count >= network->lane_max)
                return ERR_BUSY;
            struct network_frame *kept = malloc(sizeof *kept + frame.size);
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

static void network_lane_clear(struct network_lane *lane)
{
    while (lane->first != NULL) {
        struct network_frame *frame = lane->first;
        lane->first = frame->next;
        free(frame);
    }
    lane->end = &lane->first;
    lane->count = 0;
}

void network_cut_wire(struct network_wire *wire)
{
    if (!wire->is_up)
        return;
    wire->is_up = false;
    for (int end = 0; end < 2; end++) {
        network_lane_clear(&wire->lanes[end]);
        if (wire->ends[end]->runtime != NULL)
            driver_link_down(wire->ends[end]->driver, wire->links[end]);
    }
}

static void network_hang_up(void *arg, struct link_id link)
{
    struct network_house *house = arg;
    house->hung_up++;
    for (size_t i = 0; i < NETWORK_WIRE_COUNT; i++) {
        struct network_wire *wire = &house->network->wires[i];
        if ((wire->ends[0] == house && wire->links[0].value == link.value) ||
            (wire->ends[1] == house && wire->links[1].value == link.value))
            network_cut_wire(wire);
    }
}

void network_connect(struct network *network, int a, int b)
{
    struct network_wire *wire = network->wires;
    while (wire->is_up)
        wire++;
    wire->is_up = true;
    wire->ends[0] = &network->houses[a];
    wire->ends[1] = &network->houses[b];
    for (int end = 0; end < 2; end++) {
        wire->links[end].value = ++network->link_last;
        wire->lanes[end].end = &wire->lanes[end].first;
    }
    for (int end = 0; end < 2 && wire->is_up; end++)
        driver_link_up(wire->ends[end]->driver, wire->links[end], &wire->ends[1 - end]->transport);
}

void network_cut(struct network *network, int a, int b)
{
    for (size_t i = 0; i < NETWORK_WIRE_COUNT; i++) {
        struct network_wire *wire = &network->wires[i];
        if (wire->is_up &&
            ((wire->ends[0] == &network->houses[a] && wire->ends[1] == &network->houses[b]) ||
             (wire->ends[1] == &network->houses[a] && wire->ends[0] == &network->houses[b])))
            network_cut_wire(wire);
    }
}

/* Hands over what lies on the wires now. True when there was anything. */
static bool network_deliver(struct network *network)
{
    bool is_any = false;
    for (size_t i = 0; i < 2 * NETWORK_WIRE_COUNT; i++) {
        struct network_wire *wire = &network->wires[i / 2];
        int end = i % 2;
        for (size_t left = wire->lanes[end].count; wire->is_up && left > 0; left--) {
            struct network_lane *lane = &wire->lanes[end];
            struct network_frame *frame = lane->first;
            lane->first = frame->next;
            if (lane->first == NULL)
                lane->end = &lane->first;
            lane->count--;
            is_any = true;
            if (network->on_frame == NULL ||
                network->on_frame(network->arg, wire->ends[1 - end], wire->ends[end], frame))
                driver_frame(wire->ends[end]->driver, wire->links[end],
                             (struct bytes){frame->data, frame->size});
            free(frame);
        }
        if (wire->is_up && network->lane_max > 0 && wire->ends[1 - end]->runtime != NULL)
            runtime_link_drained(wire->ends[1 - end]->runtime, wire->links[1 - end]);
    }
    return is_any;
}

/* ---- time ---- */

static void network_on_beat(uv_timer_t *timer)
{
    (void)timer;
}

void network_turn(struct network *network)
{
    (void)uv_run(&network->loop, network_deliver(network) ? UV_RUN_NOWAIT : UV_RUN_ONCE);
}

bool network_until(struct network *network, bool (*is_so)(void *arg), void *arg)
{
    uint64_t end = runtime_mono().ms + NETWORK_PATIENCE_MS;
    while (!is_so(arg)) {
        if (runtime_mono().ms > end)
            return false;
        network_turn(network);
    }
    return true;
}

struct audit_verdict network_audit(struct network *network, int which)
{
    struct audit_check *check = audit_check_new(network->houses[which].runtime);
    bool is_done = false;
    assert_non_null(check);
    while (!is_done)
        assert_int_equal(OK, audit_check_step(check, &is_done));
    struct audit_verdict verdict = audit_check_verdict(check);
    audit_check_free(check);
    return verdict;
}

void network_pass(struct network *network, uint64_t ms)
{
    uint64_t end = runtime_mono().ms + ms;
    while (runtime_mono().ms < end)
        network_turn(network);
}

/* ---- houses ---- */

static void network_on_news(void *arg, const struct runtime_news *news)
{
    struct network_house *house = arg;
    if (news->kind < sizeof house->told / sizeof house->told[0])
        house->told[news->kind]++;
}

void network_open(struct network *network, int which)
{
    struct network_house *house = &network->houses[which];
    char problem[STORE_PROBLEM_SIZE];
    char marker[160];
    snprintf(marker, sizeof marker, "%s.marker", house->data);
    struct runtime_config config = {.name = "town",
                                    .data = house->data,
                                    .federation = roster_federation(&network->society.roster),
                                    .self = house->node,
                                    .sign_secret = house->sign_secret,
                                    .store_key = house->store_key,
                                    .loop = &network->loop,
                                    .workers = network->workers,
                                    .grants_by_hand = network->grants_by_hand,
                                    .survey_ms = network->survey_ms,
                                    .marker = network->has_markers ? marker : NULL};
    err failure = driver_open(&config, problem, &house->driver);
    if (failure != OK)
        print_error("%s\n", problem);
    assert_int_equal(OK, failure);
    house->runtime = driver_runtime(house->driver);
    assert_int_equal(OK, items_new(house->runtime, &house->items));
    struct runtime_links links = {.send = network_send, .hang_up = network_hang_up, .arg = house};
    runtime_attach_links(house->runtime, &links);
    runtime_listen(house->runtime, network_on_news, house);
}

void network_shut(struct network *network, int which)
{
    struct network_house *house = &network->houses[which];
    for (size_t i = 0; i < NETWORK_WIRE_COUNT; i++) {
        if (network->wires[i].ends[0] == house || network->wires[i].ends[1] == house)
            network_cut_wire(&network->wires[i]);
    }
    if (house->runtime == NULL)
        return;
    items_free(house->items);
    driver_close(house->driver);
    house->driver = NULL;
    house->items = NULL;
    house->runtime = NULL;
    for (int i = 0; i < 8; i++) /* what is closed goes when the loop turns */
        (void)uv_run(&network->loop, UV_RUN_NOWAIT);
}

void network_spoil(const struct network_house *house, const char *table, size_t number)
{
    static uint8_t copy[2 * STORE_RECORD_SIZE_MAX];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val key = {sizeof number, &number}, value;
    assert_int_equal(0, mdb_env_create(&env));
    assert_int_equal(0, mdb_env_set_maxdbs(env, 8));
    assert_int_equal(0, mdb_env_set_mapsize(env, (size_t)1 << 30));
    assert_int_equal(0, mdb_env_open(env, house->data, 0, 0600));
    assert_int_equal(0, mdb_txn_begin(env, NULL, 0, &txn));
    assert_int_equal(0, mdb_dbi_open(txn, table, 0, &dbi));
    assert_int_equal(0, mdb_get(txn, dbi, &key, &value));
    memcpy(copy, value.mv_data, value.mv_size);
    copy[value.mv_size / 2] ^= 4;
    value.mv_data = copy;
    assert_int_equal(0, mdb_put(txn, dbi, &key, &value, 0));
    assert_int_equal(0, mdb_txn_commit(txn));
    mdb_env_close(env);
}

void network_admit(struct network *network, int which)
{
    struct network_house *house = &network->houses[which];
    struct federation_id federation = roster_federation(&network->society.roster);
    struct store_options options = {.owner = runtime_owner(&federation, &house->node)};
    char problem[STORE_PROBLEM_SIZE];
    struct store *store;
    uint8_t memory[4 + HEAD_SIZE_MAX];
    struct buffer heads = buffer_over(memory, sizeof memory);
    void *roster_memory;
    struct roster roster =
        federation_roster(roster_plan_small(), house->node, &federation, &roster_memory);
    assert_int_equal(OK, roster_apply(&roster, network->society.signed_head,
                                      &network->society.delta, network->society.now));
    buffer_u32(&heads, (uint32_t)network->society.signed_head.size);
    buffer_put(&heads, network->society.signed_head.data, network->society.signed_head.size);
    assert_int_equal(OK, store_open(house->data, house->store_key, &options, problem, &store));
    assert_int_equal(OK, roster_sync_keep(store, &roster, buffer_bytes(&heads)));
    store_close(store);
    free(roster_memory);
}

void network_found(struct network *network, uint64_t founded_ms)
{
    struct settings settings;
    federation_begin(&network->society, roster_plan_small());
    network->society.now.ms = founded_ms;
    federation_settings(&settings);
    settings.relay_count = 0;
    federation_put_settings(&network->society, &settings);
    for (uint32_t i = 1; i <= NETWORK_HOUSE_COUNT; i++) {
        struct member member = federation_member(i, 1);
        federation_put_member(&network->society, &member);
    }
    assert_int_equal(OK, federation_draft(&network->society));
    assert_int_equal(OK, federation_take(&network->society));
}

struct network *network_new_at(const char *folder, uint64_t founded_ms)
{
    struct network *network = calloc(1, sizeof *network);
    assert_non_null(network);
    log_init(getenv("TOWN_LOG") != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
    snprintf(network->folder, sizeof network->folder, "%s",
             folder == NULL ? "/tmp/consilium-town-XXXXXX" : folder);
    if (folder == NULL)
        assert_non_null(mkdtemp(network->folder));
    network->founded_ms = founded_ms;
    assert_int_equal(0, uv_loop_init(&network->loop));
    uv_timer_init(&network->loop, &network->beat);
    uv_timer_start(&network->beat, network_on_beat, 5, 5);
    assert_int_equal(OK, workers_new(&network->loop, 2, 64, &network->workers));
    network_found(network, founded_ms);
    for (int i = 0; i < NETWORK_HOUSE_COUNT; i++) {
        struct network_house *house = &network->houses[i];
        struct member member = federation_member((uint32_t)i + 1, 1);
        uint8_t public_key[32];
        house->network = network;
        house->number = (uint32_t)i + 1;
        house->node = member.node_id;
        house->transport = member.transport_key;
        federation_key(house->number, 2, public_key, house->sign_secret);
        federation_key(house->number, 7, public_key, house->clinician_secret);
        memset(house->store_key, (int)house->number, sizeof house->store_key);
        snprintf(house->data, sizeof house->data, "%s/%d", network->folder, i);
        if (folder == NULL)
            network_admit(network, i);
        network_open(network, i);
    }
    return network;
}

struct network *network_new(void)
{
    return network_new_at(NULL, runtime_wall().ms - 10 * FEDERATION_HOUR_MS);
}

int network_remove(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void network_free(struct network *network)
{
    for (int i = 0; i < NETWORK_HOUSE_COUNT; i++)
        network_shut(network, i);
    workers_free(network->workers);
    uv_close((uv_handle_t *)&network->beat, NULL);
    (void)uv_run(&network->loop, UV_RUN_DEFAULT);
    assert_int_equal(0, uv_loop_close(&network->loop));
    federation_end(&network->society);
    assert_int_equal(0, nftw(network->folder, network_remove, 16, FTW_DEPTH | FTW_PHYS));
    free(network);
}

/* ---- writing ---- */

void network_on_posted(void *arg, const struct runtime_done *done)
{
    struct network_posted *posted = arg;
    assert_false(posted->is_done);
    posted->is_done = true;
    posted->done = *done;
}

bool network_is_posted(void *arg)
{
    return ((struct network_posted *)arg)->is_done;
}

void network_begin(struct network_house *house, const struct scope *scope, uint16_t kind,
                   const void *value, struct network_posted *posted)
{
    static uint8_t content_memory[NETWORK_CONTENT_MAX], body_memory[RECORD_SIZE_MAX];
    struct buffer content = buffer_over(content_memory, sizeof content_memory);
    struct buffer body = buffer_over(body_memory, sizeof body_memory);
    const struct kind_rule *rule = kind_rule(kind);
    struct statement statement = {.kind = kind};
    assert_int_equal(OK, content_write(content_registry_table(kind), value, &content));
    statement.content = buffer_bytes(&content);
    if (rule->signing == KIND_BY_CLINICIAN) {
        struct statement_place place = {roster_federation(&house->network->society.roster), *scope,
                                        house->node};
        struct statement_author author = {.cert_id = house->cert_id, .time = runtime_wall()};
        statement_sign(&statement, &place, &author, house->clinician_secret);
    }
    assert_int_equal(OK, statement_write(&statement, &body));
    bool is_clear = (rule->audiences & KIND_CLEAR) != 0;
    struct runtime_post post = {.scope = *scope,
                                .audience = is_clear ? AUDIENCE_CLEAR : AUDIENCE_SCOPE,
                                .plaintext = buffer_bytes(&body)};
    memset(posted, 0, sizeof *posted);
    runtime_post(house->runtime, &post, network_on_posted, posted);
}

struct record_id network_write(struct network_house *house, const struct scope *scope,
                               uint16_t kind, const void *value)
{
    struct network_posted posted;
    network_begin(house, scope, kind, value, &posted);
    assert_true(network_until(house->network, network_is_posted, &posted));
    assert_int_equal(OK, posted.done.verdict);
    return posted.done.record;
}

/* The house's clinician gets a certificate. */
static void network_certify(struct network_house *house)
{
    uint8_t request_memory[CERTIFICATE_REQUEST_SIZE_MAX], memory[CERTIFICATE_SIZE_MAX];
    struct buffer request = buffer_over(request_memory, sizeof request_memory);
    struct buffer content = buffer_over(memory, sizeof memory);
    uint8_t secret[64];
    struct certificate_request asked = {.federation =
                                            roster_federation(&house->network->society.roster),
                                        .node_id = house->node,
                                        .name = bytes_of_text("Dr. Example"),
                                        .credentials = bytes_of_text("MD"),
                                        .specialties = {bytes_of_text("hematology")},
                                        .specialty_count = 1,
                                        .country = bytes_of_text("DE")};
    federation_key(house->number, 7, asked.clinician_key.bytes, secret);
    assert_int_equal(OK, certificate_request_write(&asked, &request));
    struct certificate_issue issue = {
        .request = buffer_bytes(&request),
        .serial = 1,
        .valid_from = {runtime_wall().ms - FEDERATION_HOUR_MS},
        .valid_until = {runtime_wall().ms + 100 * FEDERATION_HOUR_MS}};
    certificate_prove(issue.request, house->clinician_secret, &issue.possession);
    assert_int_equal(OK, certificate_write(&issue, house->sign_secret, &content, &house->cert_id));
    struct certificate_envelope envelope;
    struct scope scope = scope_federation();
    assert_int_equal(OK, certificate_envelope_read(buffer_bytes(&content), &envelope));
    (void)network_write(house, &scope, KIND_CERTIFICATE, &envelope);
}

/* ---- a case ---- */

struct announcement network_announcement(const struct case_id *case_id)
{
    return (struct announcement){.case_id = *case_id,
                                 .specialty = bytes_of_text("hematology"),
                                 .service = ANNOUNCEMENT_CLINICAL_CONSULT,
                                 .reason = ANNOUNCEMENT_RARE,
                                 .question = bytes_of_text("Is the marrow what it seems to be?"),
                                 .wanted_count = 2,
                                 .deadline = {runtime_wall().ms + 48 * FEDERATION_HOUR_MS},
                                 .language = bytes_of_text("en"),
                                 .mode = ANNOUNCEMENT_OPEN};
}

struct network_case network_ask(struct network_house *house, uint8_t seed)
{
    struct network_case one = {.opening = {{seed, 1, 2, 3}}};
    struct federation_id federation = roster_federation(&house->network->society.roster);
    uint8_t memory[4096];
    struct buffer content = buffer_over(memory, sizeof memory);
    one.id = case_record_case_id(&federation, &house->node, &one.opening);
    one.scope = scope_case(&one.id);
    struct announcement announcement = network_announcement(&one.id);
    memcpy(announcement.opening.bytes, one.opening.bytes, HASH_SIZE);
    assert_int_equal(OK, announcement_write(&announcement, &content));
    struct case_record_open open = {
        .opening = one.opening, .requester = house->node, .announcement = buffer_bytes(&content)};
    (void)network_write(house, &one.scope, KIND_OPEN, &open);
    struct scope board = scope_board(&federation, bytes_of_text("hematology"));
    one.announcement = network_write(house, &board, KIND_ANNOUNCEMENT, &announcement);
    return one;
}

struct record_id network_join(struct network_house *house, const struct network_house *asker,
                              const struct network_case *one)
{
    struct mail_join join = {.case_id = one->id, .announcement = one->announcement};
    struct scope scope = scope_mail(&asker->node);
    return network_write(house, &scope, KIND_JOIN, &join);
}

bool network_has_access(void *arg)
{
    const struct network_access *access = arg;
    const struct consult *consult = runtime_case(access->house->runtime, access->case_id);
    const struct consult_participant *part =
        consult == NULL ? NULL : consult_participant_of(consult, &access->about->node);
    return part != NULL && !part->is_ended;
}

void network_take_part(struct network_house *house, struct network_house *asker,
                       const struct network_case *one)
{
    struct network_access access = {house, house, &one->id};
    (void)network_join(house, asker, one);
    assert_true(network_until(house->network, network_has_access, &access));
}

struct network *network_new_in_touch(void)
{
    struct network *network = network_new();
    for (int i = 0; i < NETWORK_HOUSE_COUNT; i++) {
        for (int j = i + 1; j < NETWORK_HOUSE_COUNT; j++)
            network_connect(network, i, j);
    }
    for (int i = 0; i < NETWORK_HOUSE_COUNT; i++)
        network_certify(&network->houses[i]);
    return network;
}

bool network_holds(void *arg)
{
    const struct network_sought *sought = arg;
    return record_table_has(runtime_store(sought->house->runtime), &sought->id);
}

bool network_spreads(struct network *network, int to, const struct record_id *id)
{
    struct network_sought sought = {&network->houses[to], *id};
    return network_until(network, network_holds, &sought);
}
