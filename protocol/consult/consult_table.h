/* The table states x records of a case: the verdict on a record in a state, and the next state.
 * spec/consult.md has the same table. */
#ifndef CONSILIUM_PROTOCOL_CONSULT_CONSULT_TABLE_H
#define CONSILIUM_PROTOCOL_CONSULT_CONSULT_TABLE_H

#include "protocol/consult/consult.h"

enum consult_role {
    CONSULT_REQUESTER,
    CONSULT_SUCCESSOR, /* of a removed requester: may erase, reveal and close */
    CONSULT_PARTICIPANT,
};

struct consult_cell {
    enum consult_verdict verdict; /* before the check of the content */
    enum case_state next;         /* when it counts; else the present state */
};

struct consult_cell consult_table_cell(enum case_state state, enum consult_role role,
                                       uint16_t kind);

#endif
