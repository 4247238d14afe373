/* `invite`: writes the file with which an admitted institution starts its node (invitation.h). */
#ifndef CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_INVITE_H
#define CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_INVITE_H

#include "bootstrap/society/society_options.h"

/* Command: exit status. */
int society_invite_member(const struct society_options *options);

#endif
