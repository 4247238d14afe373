/* A member as text, told apart from others of a like name. */
#ifndef CONSILIUM_BOOTSTRAP_DIRECTORY_MEMBER_TEXT_H
#define CONSILIUM_BOOTSTRAP_DIRECTORY_MEMBER_TEXT_H

#include <stdio.h>

#include "protocol/member/member.h"

/* "admitted", "suspended", "removed" */
const char *member_text_state(enum member_state state);

/* Prints two indented lines: name, country, state and node id; the fingerprint of the signing key.
 */
void member_text_describe(const struct member *member, FILE *out);

#endif
