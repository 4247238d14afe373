/* The consult of one case, and the records that institutions write in it: A asks, B, C and D
 * answer. */
#ifndef CONSILIUM_TESTS_HARNESS_CONSULT_FIXTURE_H
#define CONSILIUM_TESTS_HARNESS_CONSULT_FIXTURE_H

#include <string.h>

#include "protocol/consult/consult.h"
#include "protocol/contents/case_file.h"
#include "protocol/contents/content_registry.h"
#include "protocol/contents/mail.h"
#include "protocol/contents/opinion.h"

extern const struct node_id service_a, service_b, service_c, service_d;

extern const struct federation_id service_federation;

extern const struct case_record_opening service_opening;

enum { SERVICE_DEADLINE = 100000 };

struct service {
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

/* Gives the id of the case that A asks about. */
struct case_id service_case(void);

/* Begins an empty case in this mode. */
void service_init(struct service *service, enum announcement_mode mode);

/* Writes the record without applying it. */
void service_write(struct service *service, const struct node_id *writer, uint16_t kind,
                   const void *value);

/* Writes the record and applies it. */
enum consult_verdict service_say(struct service *service, const struct node_id *writer,
                                 uint16_t kind, const void *value);

/* As if `requester` had made the case. */
enum consult_verdict service_open_as(struct service *service, const struct node_id *requester);

/* A opens the case. */
enum consult_verdict service_open(struct service *service);

/* A gives this participant access. */
enum consult_verdict service_grant(struct service *service, const struct node_id *participant);

/* A ends the access of this participant at its record `sequence`; 0: before its first. */
enum consult_verdict service_end(struct service *service, const struct node_id *participant,
                                 uint64_t sequence);

/* This author writes an opinion; sealed to the requester where the mode wants that. */
enum consult_verdict service_opinion(struct service *service, const struct node_id *author);

/* This author writes a post. */
enum consult_verdict service_post(struct service *service, const struct node_id *author);

/* A takes in a record of this author. */
enum consult_verdict service_take_in(struct service *service, const struct node_id *author,
                                     const struct record_id *id, uint16_t kind);

/* A reveals a record. */
enum consult_verdict service_reveal(struct service *service, const struct record_id *id);

/* This author releases its record. */
enum consult_verdict service_release(struct service *service, const struct node_id *author,
                                     const struct record_id *id);

/* A moves the deadline. */
enum consult_verdict service_extend(struct service *service, uint64_t deadline);

/* A writes the synthesis. */
enum consult_verdict service_synthesis(struct service *service);

/* A closes the case. */
enum consult_verdict service_close(struct service *service);

/* A writes the outcome as of this day. */
enum consult_verdict service_outcome(struct service *service, uint64_t day);

/* This writer, A or another, writes an ERASE of the case. */
enum consult_verdict service_erase(struct service *service, const struct node_id *writer);

/* This writer confirms the erasure. */
enum consult_verdict service_erased(struct service *service, const struct node_id *writer);

#endif
