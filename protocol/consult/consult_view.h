/* The figures of a case for display. */
#ifndef CONSILIUM_PROTOCOL_CONSULT_CONSULT_VIEW_H
#define CONSILIUM_PROTOCOL_CONSULT_CONSULT_VIEW_H

#include <stddef.h>

#include "protocol/base/ids.h"

struct consult;

struct consult_view {
    size_t participant_count; /* with access now */
    size_t ended_count;
    size_t institution_count; /* distinct institutions with an opinion taken in (M5) */
    size_t opinion_count;
    size_t revealed_count; /* of those opinions */
    size_t declined_count; /* institutions */
    size_t erased_count;   /* receipts of erasure */
    size_t silent_count;   /* participants, ended ones too, without a receipt; 0 unless erased */
    bool is_cap_reached;   /* no automatic grants any more */
    bool is_overdue;       /* the deadline has passed and the case is not closed */
    bool is_follow_up_due; /* day 21 or day 90 has come and no outcome of it is recorded */
};
struct consult_view consult_view(const struct consult *consult, struct wall now);

#endif
