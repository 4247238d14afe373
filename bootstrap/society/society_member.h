/* The commands that change members; each prepares the next head. */
#ifndef CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_MEMBER_H
#define CONSILIUM_BOOTSTRAP_SOCIETY_SOCIETY_MEMBER_H

#include "bootstrap/society/society_options.h"

/* Commands: exit statuses. */
int society_member_admit(const struct society_options *options);
int society_member_suspend(const struct society_options *options);
int society_member_reinstate(const struct society_options *options);
int society_member_remove(const struct society_options *options);
int society_member_rotate(const struct society_options *options);
int society_member_serve(const struct society_options *options);
int society_member_unserve(const struct society_options *options);

#endif
