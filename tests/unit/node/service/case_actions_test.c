/* What clinicians do in a case, and what is refused, without HTTP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/service/lookup.h"
#include "node/service/opinion_export.h"
#include "node/views/standing.h"
#include "protocol/contents/opinion_file.h"
#include "protocol/record/audit_evidence.h"
#include "tests/harness/action_fixture.h"

/* A announces, B takes part. */
static void asked(struct action_fixture *fixture)
{
    action_fixture_announce(fixture);
    action_fixture_join(fixture, B);
}

static void give(struct action_fixture *fixture, int which, const struct opinion *opinion,
                 bool is_additional)
{
    struct action action = action_fixture_begin(fixture, which);
    participant_give_opinion(&action, opinion, is_additional);
}

/* ---- sending ---- */

/* API-7 */
static void a_draft_is_sent_only_as_it_was_confirmed(void **state)
{
    struct action_fixture *fixture = *state;
    action_fixture_draft(fixture);
    struct sending_confirmation good = action_fixture_confirm(fixture), bad = good;
    bad.preview.bytes[0] ^= 1;
    struct action action = action_fixture_begin(fixture, A);
    sending_send(&action, fixture->draft, &bad);
    action_fixture_was_refused(fixture, ERR_STATE, "differs from what was confirmed");
    bad = good;
    bad.full_name = bytes_of_text("Anna");
    action = action_fixture_begin(fixture, A);
    sending_send(&action, fixture->draft, &bad);
    action_fixture_was_refused(fixture, ERR_INVALID, "not the full name");
    action = action_fixture_begin(fixture, A);
    action.signer.passphrase = bytes_of_text("wrong horse");
    sending_send(&action, fixture->draft, &good);
    action_fixture_was_refused(fixture, ERR_PASSPHRASE, "passphrase");
    assert_true(ID_IS_ZERO(fixture->draft->sending)); /* and may be changed again */
    action = action_fixture_begin(fixture, A);
    sending_send(&action, fixture->draft, &good);
    action_fixture_did(fixture);
    assert_null(draft_at(fixture->services[A]->drafts, getuid(), 0));
}

/* The case exists before anyone is told of it. */
static bool note_kind(void *arg, const struct stored_record *stored_record)
{
    uint16_t *kinds = arg;
    size_t i = 0;
    while (kinds[i] != 0)
        i++;
    kinds[i] = stored_record->statement.kind;
    return i < 1;
}

static void a_case_is_opened_before_it_is_announced(void **state)
{
    struct action_fixture *fixture = *state;
    uint16_t kinds[4] = {0};
    action_fixture_announce(fixture);
    assert_int_equal(3, fixture->last.posted_count);
    assert_int_equal(KIND_OPEN, fixture->last.kind);
    const struct inbox_entry *entry = inbox_find(fixture->services[A]->inbox, &fixture->case_id);
    struct scope scope = scope_case(&fixture->case_id);
    assert_non_null(entry);
    assert_int_equal(OK, stored_record_scope(runtime_store(fixture->services[A]->runtime), &scope,
                                             0, note_kind, kinds));
    assert_int_equal(KIND_OPEN, kinds[0]);
    assert_int_equal(KIND_MANIFEST, kinds[1]);
}

/* ---- access ---- */

static void who_has_no_access_writes_nothing_into_the_case(void **state)
{
    struct action_fixture *fixture = *state;
    struct case_record_post post = {.text = bytes_of_text("Hello.")};
    action_fixture_announce(fixture);
    struct action_fixture_place place = {fixture, B};
    assert_true(network_until(fixture->room.network, action_fixture_is_announced, &place));
    struct action action = action_fixture_begin(fixture, B);
    participant_discuss(&action, &post);
    action_fixture_was_refused(fixture, ERR_STATE, "no access");
    give(fixture, B, action_fixture_opinion("It is."), false);
    action_fixture_was_refused(fixture, ERR_STATE, "no access");
}

static void access_is_asked_for_once_and_given_once(void **state)
{
    struct action_fixture *fixture = *state;
    asked(fixture);
    struct action action = action_fixture_begin(fixture, B);
    case_mail_join(&action, BYTES_NONE);
    action_fixture_was_refused(fixture, ERR_EXISTS, "has access already");
    action = action_fixture_begin(fixture, A);
    case_mail_join(&action, BYTES_NONE);
    action_fixture_was_refused(fixture, ERR_STATE, "own case");
    action = action_fixture_begin(fixture, A);
    requester_grant(&action, &fixture->room.network->houses[B].node, NULL);
    action_fixture_did(fixture);
    assert_true(fixture->last.is_done_already);
    assert_int_equal(0, fixture->last.posted_count);
    action = action_fixture_begin(fixture, B);
    requester_grant(&action, &fixture->room.network->houses[C].node, NULL);
    action_fixture_was_refused(fixture, ERR_NOT_ENTITLED, "state of the case");
}

static bool has_lost_access(void *arg)
{
    const struct action_fixture_place *place = arg;
    struct service *service = place->fixture->services[place->which];
    return case_access_has_ended(service, runtime_case(service->runtime, &place->fixture->case_id));
}

/* C-49 */
static void whose_access_ended_learns_it_and_writes_no_more(void **state)
{
    struct action_fixture *fixture = *state;
    asked(fixture);
    struct case_record_grant_end end = {.participant = fixture->room.network->houses[B].node,
                                        .note = bytes_of_text("Thank you.")};
    struct action action = action_fixture_begin(fixture, A);
    requester_end_access(&action, &end);
    action_fixture_did(fixture);
    assert_int_equal(2, fixture->last.posted_count); /* and the mail that tells of it */
    struct action_fixture_place place = {fixture, B};
    assert_true(network_until(fixture->room.network, has_lost_access, &place));
    give(fixture, B, action_fixture_opinion("It is."), false);
    action_fixture_was_refused(fixture, ERR_NOT_ENTITLED,
                               consult_verdict_sentence(CONSULT_GRANT_ENDED));
    struct refusal refusal;
    assert_int_equal(ERR_NOT_ENTITLED,
                     case_items_fetch(fixture->services[B], &fixture->case_id, NULL, 0, &refusal));
}

/* C-49 */
static void only_the_requester_refuses_a_request_to_join(void **state)
{
    struct action_fixture *fixture = *state;
    struct case_record_decline decline = {.reason = CASE_RECORD_DECLINE_NONE};
    asked(fixture);
    struct action action = action_fixture_begin(fixture, B);
    case_mail_refuse_join(&action, "00000000", &decline);
    action_fixture_was_refused(fixture, ERR_NOT_ENTITLED, "not a case of this institution");
    action = action_fixture_begin(fixture, A);
    case_mail_refuse_join(&action, "00000000", &decline);
    action_fixture_was_refused(fixture, ERR_NOT_FOUND, "no such request to join");
    action = action_fixture_begin(fixture, B);
    participant_decline(&action, &decline);
    action_fixture_was_refused(fixture, ERR_INVALID, "reason: missing");
}

/* ---- items ---- */

static bool is_item_here(void *arg)
{
    const struct action_fixture_place *place = arg;
    struct service *service = place->fixture->services[place->which];
    struct case_items *items = NULL;
    struct refusal refusal;
    assert_int_equal(OK, case_items_load(service, &place->fixture->case_id, &items, &refusal));
    bool is = items_progress(service->items, &items->file.items[0]).state == ITEMS_HERE;
    case_items_free(items);
    return is;
}

struct opinion_seen {
    size_t item_count;
    bool is_seen;
};

static bool note_opinion(void *arg, const struct stored_record *stored_record)
{
    struct opinion_seen *seen = arg;
    static struct opinion opinion;
    if (stored_record_content(stored_record, KIND_OPINION, &opinion_table, &opinion)) {
        seen->is_seen = true;
        seen->item_count = opinion.item_opened_count;
    }
    return true;
}

/* API-8, API-9 */
static void an_item_is_read_after_its_receipt_and_the_opinion_names_it(void **state)
{
    struct action_fixture *fixture = *state;
    struct service *service = NULL;
    struct case_items *items = NULL;
    struct refusal refusal;
    struct case_record_opened opened = {.item_count = 1};
    asked(fixture);
    service = fixture->services[B];
    assert_int_equal(OK, case_items_load(service, &fixture->case_id, &items, &refusal));
    const struct case_file_item *item = case_items_find(items, "report.txt", &refusal);
    assert_non_null(item);
    assert_null(case_items_find(items, "nothing.txt", &refusal));
    assert_int_equal(ERR_NOT_FOUND, refusal.code);
    opened.items[0] = item->item_id;
    struct action action = action_fixture_begin(fixture, B);
    case_items_open(&action, &opened);
    action_fixture_was_refused(fixture, ERR_STATE, "not stored here completely");
    assert_int_equal(OK, case_items_fetch(service, &fixture->case_id, &item, 1, &refusal));
    struct action_fixture_place place = {fixture, B};
    assert_true(network_until(fixture->room.network, is_item_here, &place));
    struct case_items_reader reader = {account_find(service->accounts, "bela"), getuid()};
    assert_int_equal(ERR_NOT_ENTITLED,
                     case_items_read(service, &fixture->case_id, &reader, item, &refusal));
    action = action_fixture_begin(fixture, B);
    case_items_open(&action, &opened);
    action_fixture_did(fixture);
    assert_int_equal(OK, case_items_read(service, &fixture->case_id, &reader, item, &refusal));
    opened.item_count = 0;
    action = action_fixture_begin(fixture, B);
    case_items_open(&action, &opened);
    action_fixture_was_refused(fixture, ERR_INVALID, "at least one");
    give(fixture, B, action_fixture_opinion("It is."), false);
    action_fixture_did(fixture);
    struct opinion_seen seen = {.is_seen = false};
    struct scope scope = scope_case(&fixture->case_id);
    assert_int_equal(
        OK, stored_record_scope(runtime_store(service->runtime), &scope, 0, note_opinion, &seen));
    assert_true(seen.is_seen);
    assert_int_equal(1, seen.item_count);
    case_items_free(items);
}

/* ---- opinions ---- */

/* API-14 */
static void one_clinician_gives_one_opinion_unless_another_is_meant(void **state)
{
    struct action_fixture *fixture = *state;
    asked(fixture);
    action_fixture_join(fixture, C);
    give(fixture, B, action_fixture_opinion(""), false);
    action_fixture_was_refused(fixture, ERR_INVALID, "text: missing");
    give(fixture, B, action_fixture_opinion("It is."), false);
    action_fixture_did(fixture);
    struct record_id first = fixture->last.record;
    give(fixture, B, action_fixture_opinion("It is not."), false);
    action_fixture_was_refused(fixture, ERR_EXISTS, "gave an opinion on this case");
    assert_non_null(strstr(fixture->last.hint, "--replaces"));
    struct opinion *later = action_fixture_opinion("It is not.");
    later->replaces = first;
    give(fixture, C, later, false); /* another clinician's */
    action_fixture_was_refused(fixture, ERR_INVALID, "no opinion of this clinician");
    give(fixture, B, later, false);
    action_fixture_did(fixture);
    give(fixture, B, action_fixture_opinion("And another thing."), true);
    action_fixture_did(fixture);
    give(fixture, C, action_fixture_opinion("Mine."), false);
    action_fixture_did(fixture);
}

static void nothing_is_revealed_summed_up_or_released_too_early(void **state)
{
    struct action_fixture *fixture = *state;
    struct case_record_reveal all = {.record_count = 0};
    struct case_record_synthesis synthesis = {.text = bytes_of_text("So it is.")};
    struct case_record_close end = {.note = BYTES_NONE};
    asked(fixture);
    struct action action = action_fixture_begin(fixture, A);
    requester_reveal(&action, &all);
    action_fixture_was_refused(fixture, ERR_STATE, "could be revealed");
    action = action_fixture_begin(fixture, A);
    requester_synthesise(&action, &synthesis);
    action_fixture_was_refused(fixture, ERR_STATE, "nothing to sum up");
    give(fixture, B, action_fixture_opinion("It is."), false);
    action_fixture_did(fixture);
    struct case_record_release release = {.record_id = fixture->last.record};
    action = action_fixture_begin(fixture, B);
    participant_release(&action, &release);
    action_fixture_was_refused(fixture, ERR_STATE, consult_verdict_sentence(CONSULT_TOO_EARLY));
    action_fixture_taken_in(fixture, 1);
    action = action_fixture_begin(fixture, A);
    requester_synthesise(&action, &synthesis);
    action_fixture_was_refused(fixture, ERR_STATE, consult_verdict_sentence(CONSULT_NOT_REVEALED));
    action = action_fixture_begin(fixture, A);
    requester_close(&action, &end, false);
    action_fixture_was_refused(fixture, ERR_STATE, "no synthesis was written");
    action = action_fixture_begin(fixture, A);
    requester_reveal(&action, &all); /* all opinions that were taken in */
    action_fixture_did(fixture);
    action = action_fixture_begin(fixture, A);
    requester_synthesise(&action, &synthesis);
    action_fixture_did(fixture);
    action = action_fixture_begin(fixture, A);
    requester_close(&action, &end, false);
    action_fixture_did(fixture);
}

static void a_deadline_only_moves_later(void **state)
{
    struct action_fixture *fixture = *state;
    action_fixture_announce(fixture);
    struct wall now = runtime_wall();
    struct case_record_extend extend = {.deadline = {now.ms + 1000}};
    struct action action = action_fixture_begin(fixture, A);
    requester_extend(&action, &extend);
    action_fixture_was_refused(fixture, ERR_INVALID, "must be later");
    extend.deadline.ms = now.ms + 5 * 24 * FEDERATION_HOUR_MS;
    action = action_fixture_begin(fixture, A);
    requester_extend(&action, &extend);
    action_fixture_did(fixture);
}

static void an_erased_case_takes_no_more(void **state)
{
    struct action_fixture *fixture = *state;
    struct case_record_withdraw withdraw = {.note = BYTES_NONE};
    action_fixture_announce(fixture);
    struct action action = action_fixture_begin(fixture, A);
    requester_erase(&action);
    action_fixture_did(fixture);
    action = action_fixture_begin(fixture, A);
    requester_withdraw(&action, &withdraw);
    action_fixture_was_refused(fixture, ERR_STATE, consult_verdict_sentence(CONSULT_ERASED));
}

/* ---- an opinion as a file ---- */

static void only_an_opinion_is_exported(void **state)
{
    struct action_fixture *fixture = *state;
    struct refusal refusal;
    asked(fixture);
    give(fixture, B, action_fixture_opinion("It is."), false);
    action_fixture_did(fixture);
    struct opinion_export wanted = {
        .case_id = fixture->case_id, .record = fixture->last.record, .uid = getuid()};
    uint8_t *memory = malloc(OPINION_FILE_SIZE_MAX);
    struct buffer out = buffer_over(memory, OPINION_FILE_SIZE_MAX);
    assert_int_equal(OK, opinion_export_write(fixture->services[B], &wanted, &out, &refusal));
    assert_true(out.size > 1000);
    wanted.record = runtime_case(fixture->services[B]->runtime, &fixture->case_id)->manifest;
    assert_int_equal(ERR_INVALID,
                     opinion_export_write(fixture->services[B], &wanted, &out, &refusal));
    assert_non_null(strstr(refusal.message, "no opinion"));
    free(memory);
}

/* (T-27) */
static void an_opinion_with_a_spoiled_signature_is_not_exported(void **state)
{
    struct action_fixture *fixture = *state;
    static uint8_t memory[STORE_RECORD_SIZE_MAX];
    struct refusal refusal;
    struct store_record record;
    struct record_claim claim;
    asked(fixture);
    give(fixture, B, action_fixture_opinion("It is."), false);
    action_fixture_did(fixture);
    struct opinion_export wanted = {
        .case_id = fixture->case_id, .record = fixture->last.record, .uid = getuid()};
    struct runtime *runtime = fixture->services[B]->runtime;
    assert_int_equal(OK,
                     record_table_find(runtime_store(runtime), &wanted.record, memory, &record));
    memory[record.head.data - memory + RECORD_HEADER_SIZE] ^= 1;
    assert_int_equal(OK, record_parse(record.head, &claim));
    struct store_op op = {.kind = STORE_FILL};
    op.fill = (struct store_fill){
        .stream = &claim.header.stream, .sequence = record.sequence, .head = record.head};
    assert_int_equal(OK, store_commit(runtime_store(runtime), &op, 1, STORE_NORMAL, NULL));
    uint8_t *file = malloc(OPINION_FILE_SIZE_MAX);
    struct buffer out = buffer_over(file, OPINION_FILE_SIZE_MAX);
    assert_int_equal(ERR_BAD_SIGNATURE,
                     opinion_export_write(fixture->services[B], &wanted, &out, &refusal));
    assert_non_null(strstr(refusal.hint, "requested"));
    free(file);
}

/* ---- names ---- */

static void what_is_named_must_be_one_thing(void **state)
{
    struct action_fixture *fixture = *state;
    struct case_id case_id;
    struct node_id node;
    struct record_id record;
    struct refusal refusal;
    char hex[2 * HASH_SIZE + 1];
    action_fixture_announce(fixture);
    ids_to_hex(ID_BYTES(fixture->case_id), hex);
    hex[8] = '\0';
    assert_int_equal(OK, lookup_case(fixture->services[A], hex, &case_id, &refusal));
    assert_true(ID_EQUAL(fixture->case_id, case_id));
    hex[3] = '\0'; /* too short */
    assert_int_equal(ERR_NOT_FOUND, lookup_case(fixture->services[A], hex, &case_id, &refusal));
    assert_int_equal(ERR_NOT_FOUND,
                     lookup_member(fixture->services[A], "No Hospital", &node, &refusal));
    assert_int_equal(ERR_NOT_FOUND, lookup_record(fixture->services[A], &fixture->case_id,
                                                  "00000000", &record, &refusal));
    assert_non_null(strstr(refusal.hint, "consilium thread"));
    ids_to_hex(ID_BYTES(fixture->last.record), hex);
    assert_int_equal(
        OK, lookup_record(fixture->services[A], &fixture->case_id, hex, &record, &refusal));
}

/* ---- a frozen institution ---- */

/* One side of a fork: A's own signature under `header`. */
static void sign_side(struct action_fixture *fixture, const struct record_header *header,
                      struct bytes *ret_header, struct signature *ret_signature,
                      uint8_t memory[static 2048])
{
    struct buffer sealed = buffer_over(memory, 2048);
    struct record_secrets secrets = {.sign_secret = fixture->room.network->houses[A].sign_secret};
    struct record_id id;
    randombytes_buf(&secrets.key, sizeof secrets.key);
    assert_int_equal(OK, record_seal(header, bytes_of_text("no"), &secrets, &sealed, &id));
    *ret_header = (struct bytes){memory, RECORD_HEADER_SIZE};
    memcpy(ret_signature->bytes, memory + RECORD_HEADER_SIZE, SIGNATURE_SIZE);
}

static bool is_frozen(void *arg)
{
    const struct action_fixture *fixture = arg;
    return engine_standing(runtime_engine(fixture->services[A]->runtime)) == STANDING_FROZEN;
}

/* B proves that A signed two records at one position. */
static void freeze(struct action_fixture *fixture)
{
    struct network *network = fixture->room.network;
    const struct roster *roster = runtime_roster(network->houses[B].runtime);
    struct federation_id federation = roster_federation(roster);
    struct record_header header = {.federation = federation,
                                   .stream = {scope_board(&federation, bytes_of_text("hematology")),
                                              network->houses[A].node, 1},
                                   .audience = AUDIENCE_SCOPE,
                                   .sequence = 1,
                                   .head = roster_current_id(roster),
                                   .time = runtime_wall()};
    struct audit_evidence_fork_proof proof;
    struct scope scope = scope_federation();
    uint8_t one[2048], other[2048];
    sign_side(fixture, &header, &proof.header_a, &proof.signature_a, one);
    sign_side(fixture, &header, &proof.header_b, &proof.signature_b, other);
    (void)network_write(&network->houses[B], &scope, KIND_FORK_PROOF, &proof);
    assert_true(network_until(network, is_frozen, fixture));
}

/* API-22: it is told so at once, with the way out; what is written is kept as a draft. */
static void a_frozen_institution_is_told_so_and_erases_all_the_same(void **state)
{
    struct action_fixture *fixture = *state;
    struct runtime *runtime = fixture->services[A]->runtime;
    action_fixture_announce(fixture);
    json_t *standing = standing_json(runtime);
    assert_true(json_is_null(standing));
    json_decref(standing);
    struct case_id case_id = fixture->case_id;
    action_fixture_draft(fixture);
    freeze(fixture);
    standing = standing_json(runtime);
    assert_string_equal("frozen", json_string_value(json_object_get(standing, "state")));
    json_decref(standing);
    struct sending_confirmation confirmation = action_fixture_confirm(fixture);
    struct action action = action_fixture_begin(fixture, A);
    sending_send(&action, fixture->draft, &confirmation);
    action_fixture_was_refused(fixture, ERR_FORKED, "is frozen");
    assert_non_null(strstr(fixture->last.hint, "reinstate"));
    assert_true(ID_IS_ZERO(fixture->draft->sending));
    fixture->case_id = case_id;
    struct case_record_post post = {.text = bytes_of_text("Hello.")};
    action = action_fixture_begin(fixture, A);
    participant_discuss(&action, &post);
    action_fixture_was_refused(fixture, ERR_FORKED, "is frozen");
    action = action_fixture_begin(fixture, A);
    requester_erase(&action);
    action_fixture_did(fixture);
}

int main(void)
{
#define STORY(name)                                                                                \
    cmocka_unit_test_setup_teardown(name, action_fixture_setup, action_fixture_teardown)
    const struct CMUnitTest tests[] = {
        STORY(a_frozen_institution_is_told_so_and_erases_all_the_same),
        STORY(a_draft_is_sent_only_as_it_was_confirmed),
        STORY(a_case_is_opened_before_it_is_announced),
        STORY(who_has_no_access_writes_nothing_into_the_case),
        STORY(access_is_asked_for_once_and_given_once),
        STORY(whose_access_ended_learns_it_and_writes_no_more),
        STORY(only_the_requester_refuses_a_request_to_join),
        STORY(an_item_is_read_after_its_receipt_and_the_opinion_names_it),
        STORY(one_clinician_gives_one_opinion_unless_another_is_meant),
        STORY(nothing_is_revealed_summed_up_or_released_too_early),
        STORY(a_deadline_only_moves_later),
        STORY(an_erased_case_takes_no_more),
        STORY(only_an_opinion_is_exported),
        STORY(an_opinion_with_a_spoiled_signature_is_not_exported),
        STORY(what_is_named_must_be_one_thing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
