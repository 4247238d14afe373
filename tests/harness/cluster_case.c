#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/harness/cluster_case.h"

struct bytes cluster_body(struct cluster *cluster, const struct cluster_pen *pen, uint16_t kind,
                          const void *value)
{
    static uint8_t content_memory[8192], body_memory[STATEMENT_PADDED_SIZE_MAX];
    struct buffer content = buffer_over(content_memory, sizeof content_memory);
    struct buffer body = buffer_over(body_memory, sizeof body_memory);
    struct statement statement = {.kind = kind};
    uint8_t public_key[32], secret[64];
    assert_int_equal(OK, content_write(content_registry_table(kind), value, &content));
    statement.content = buffer_bytes(&content);
    federation_key(pen->number, 7, public_key, secret);
    struct statement_place place = {roster_federation(&cluster->roster), pen->header.stream.scope,
                                    pen->header.stream.writer};
    struct statement_author author = {.cert_id = {{(uint8_t)pen->number}},
                                      .time = pen->header.time};
    if (kind_rule(kind)->signing == KIND_BY_CLINICIAN)
        statement_sign(&statement, &place, &author, secret);
    assert_int_equal(OK, statement_write(&statement, &body));
    return buffer_bytes(&body);
}

void cluster_state(struct cluster *cluster, struct cluster_pen *pen, uint16_t kind,
                   const void *value, uint32_t link)
{
    pen->header.audience =
        (kind_rule(kind)->audiences & KIND_CLEAR) != 0 ? AUDIENCE_CLEAR : AUDIENCE_SCOPE;
    cluster_say(cluster, pen, cluster_body(cluster, pen, kind, value), link);
}

struct cluster_case cluster_case(struct cluster *cluster, uint32_t requester)
{
    struct federation_id federation = roster_federation(&cluster->roster);
    struct node_id node = federation_node(requester);
    struct cluster_case one = {.opening = {{(uint8_t)requester, 1, 2}}};
    one.id = case_record_case_id(&federation, &node, &one.opening);
    one.scope = scope_case(&one.id);
    one.pen = cluster_pen(cluster, requester, one.scope, AUDIENCE_SCOPE);
    return one;
}

struct case_record_open cluster_opening(const struct cluster_case *one, struct buffer *announcement)
{
    struct announcement said = {
        .case_id = one->id,
        .specialty = bytes_of_text("hematology"),
        .service = ANNOUNCEMENT_CLINICAL_CONSULT,
        .reason = ANNOUNCEMENT_RARE,
        .question = bytes_of_text("Is the marrow what it seems to be?"),
        .wanted_count = 3,
        .deadline = {one->pen.header.time.ms + 90 * 24 * FEDERATION_HOUR_MS},
        .language = bytes_of_text("en"),
        .mode = ANNOUNCEMENT_OPEN};
    assert_int_equal(OK, announcement_write(&said, announcement));
    return (struct case_record_open){.opening = one->opening,
                                     .requester = one->pen.header.stream.writer,
                                     .announcement = buffer_bytes(announcement)};
}

struct cluster_case cluster_share_case(struct cluster *cluster, uint32_t requester, uint32_t other)
{
    struct cluster_case one = cluster_case(cluster, requester);
    uint8_t memory[2048], grant_memory[256];
    struct buffer announcement = buffer_over(memory, sizeof memory);
    struct buffer copy = buffer_over(grant_memory, sizeof grant_memory);
    struct case_record_open open = cluster_opening(&one, &announcement);
    struct case_record_grant ours = {.participant = federation_node(1)};
    struct case_record_grant theirs = {.participant = federation_node(other)};
    struct node_id self = federation_node(1);
    struct cluster_pen letter = cluster_pen(cluster, requester, scope_mail(&self), AUDIENCE_SCOPE);
    assert_int_equal(OK, case_record_grant_write(&ours, &copy));
    struct mail_grant_notice notice = {.case_id = one.id,
                                       .requester = one.pen.header.stream.writer,
                                       .grant = {{1}},
                                       .copy = buffer_bytes(&copy),
                                       .opening = one.opening};
    cluster_state(cluster, &letter, KIND_GRANT_NOTICE, &notice, requester);
    cluster_state(cluster, &one.pen, KIND_OPEN, &open, requester);
    cluster_state(cluster, &one.pen, KIND_GRANT, &ours, requester);
    cluster_state(cluster, &one.pen, KIND_GRANT, &theirs, requester);
    const struct consult *consult = engine_case(cluster->engine, &one.id);
    assert_non_null(consult);
    assert_int_equal(CASE_ANNOUNCED, consult->state);
    assert_int_equal(2, consult->participant_count);
    return one;
}

enum case_state cluster_case_state(const struct cluster *cluster, const struct cluster_case *one)
{
    return engine_case(cluster->engine, &one->id)->state;
}

void cluster_decide(struct cluster *cluster, uint32_t number, enum member_state state,
                    uint32_t successor)
{
    uint64_t epoch = roster_current_head(&cluster->roster)->epoch + 1;
    struct member member = federation_member(number, 1);
    member.state = state;
    member.state_since_epoch = epoch;
    if (state == MEMBER_ADMITTED)
        member.boards[0].since_epoch = epoch;
    if (successor != 0)
        member.successor = federation_node(successor);
    federation_put_member(&cluster->society, &member);
    cluster_head(cluster);
}

void cluster_equivocate(struct cluster *cluster)
{
    static const uint8_t words[] = {0x01, 0xf0, 0, 0, 0, 0, 0, 1, 0x80};
    struct federation_id federation = roster_federation(&cluster->roster);
    struct scope board = scope_board(&federation, bytes_of_text("hematology"));
    struct cluster_pen one = cluster_pen(cluster, 2, board, AUDIENCE_SCOPE), other = one;
    struct node_id two = federation_node(2);
    cluster_say(cluster, &one, (struct bytes){words, sizeof words}, 2);
    cluster_say(cluster, &other, (struct bytes){words, sizeof words}, 3);
    assert_true(engine_is_frozen(cluster->engine, &two));
}
