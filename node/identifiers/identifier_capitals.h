/* Names that have no form of their own: words with a capital letter. In most languages a capital
 * letter inside a sentence marks a name, unless the field uses the word (Hodgkin, Staphylococcus);
 * so a name is found that no list holds. German writes every noun so: there, and at the beginning
 * of a sentence, what counts are the lists of names and the words beside. */
#ifndef CONSILIUM_NODE_IDENTIFIERS_IDENTIFIER_CAPITALS_H
#define CONSILIUM_NODE_IDENTIFIERS_IDENTIFIER_CAPITALS_H

#include "node/identifiers/identifiers.h"

/* Calls `on_found` for each, in the order of the text. `text` is UTF-8. */
void identifier_capitals_find(struct bytes text,
                              void (*on_found)(void *arg, const struct identifier *found),
                              void *arg);

#endif
