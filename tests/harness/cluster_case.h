/* Cases for cluster.h: what requesters and participants write in them. */
#ifndef CONSILIUM_TESTS_HARNESS_CLUSTER_CASE_H
#define CONSILIUM_TESTS_HARNESS_CLUSTER_CASE_H

#include "protocol/contents/announcement.h"
#include "protocol/contents/content_registry.h"
#include "protocol/contents/mail.h"
#include "protocol/record/kind.h"
#include "tests/harness/cluster.h"

struct cluster_case {
    struct case_id id;
    struct scope scope;
    struct case_record_opening opening;
    struct cluster_pen pen; /* the requester's, in the case */
};

/* A statement of this kind, signed by the institution's clinician where it must be. */
struct bytes cluster_body(struct cluster *cluster, const struct cluster_pen *pen, uint16_t kind,
                          const void *value);

/* The hospital writes a record of this kind, which comes by `link`. */
void cluster_state(struct cluster *cluster, struct cluster_pen *pen, uint16_t kind,
                   const void *value, uint32_t link);

/* Names a case of this requester, of which nothing is written yet. */
struct cluster_case cluster_case(struct cluster *cluster, uint32_t requester);

/* Makes the content of the case's OPEN; its announcement is written into `announcement`. */
struct case_record_open cluster_opening(const struct cluster_case *one,
                                        struct buffer *announcement);

/* Makes a case of hospital `requester`, which gave access to this node and to `other`. */
struct cluster_case cluster_share_case(struct cluster *cluster, uint32_t requester, uint32_t other);

/* Gives the state of the case at the node. */
enum case_state cluster_case_state(const struct cluster *cluster, const struct cluster_case *one);

/* The officers change the state of hospital `number`. */
void cluster_decide(struct cluster *cluster, uint32_t number, enum member_state state,
                    uint32_t successor);

/* Hospital 2 says one thing on the board, and another to hospital 3, which passes it on. */
void cluster_equivocate(struct cluster *cluster);

#endif
