/* Scopes and streams. A scope says who may read; a stream is one writer's log in a scope. */
#ifndef CONSILIUM_PROTOCOL_BASE_SCOPE_H
#define CONSILIUM_PROTOCOL_BASE_SCOPE_H

#include "protocol/base/ids.h"

enum scope_kind { SCOPE_FEDERATION = 1, SCOPE_BOARD = 2, SCOPE_CASE = 3, SCOPE_MAIL = 4 };

/* `id` is zeros for the federation; hash(BOARD_SCOPE; federation, tag) for a board; the case_id for
 * a case; the recipient's node_id and 16 zeros for mail. */
struct scope {
    enum scope_kind kind;
    uint8_t id[HASH_SIZE];
};

struct stream_id {
    struct scope scope;
    struct node_id writer;
    uint32_t generation; /* from 1 */
};

/* scope kind (1), scope id (32), writer (16), generation (4) */
enum { STREAM_ID_SIZE = 53 };

struct scope scope_federation(void);
struct scope scope_board(const struct federation_id *federation, struct bytes tag);
struct scope scope_case(const struct case_id *case_id);
struct scope scope_mail(const struct node_id *recipient);

/* Whose scope it is: the case of a SCOPE_CASE, the recipient of a SCOPE_MAIL. Of another kind it
 * names nothing. */
struct case_id scope_case_id(const struct scope *scope);
struct node_id scope_recipient(const struct scope *scope);

bool scope_equal(const struct scope *a, const struct scope *b);
bool stream_id_equal(const struct stream_id *a, const struct stream_id *b);

/* STREAM_ID_SIZE bytes, big-endian. Reading checks that the kind is known and that the unused bytes
 * of `id` are zeros: ERR_MALFORMED. */
void stream_id_write(struct buffer *buffer, const struct stream_id *id);
MUST_USE err stream_id_read(struct reader *reader, struct stream_id *ret_id);

#endif
