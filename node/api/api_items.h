/* Items of case files: their state, fetching, reading. */
#ifndef CONSILIUM_NODE_API_API_ITEMS_H
#define CONSILIUM_NODE_API_API_ITEMS_H

#include "node/api/api_internal.h"

/* Answers with the item's bytes. */
void api_items_answer(struct api_call *call, const struct case_file_item *item);

/* Ends with a NULL handler. */
extern const struct api_route api_items_routes[];

#endif
