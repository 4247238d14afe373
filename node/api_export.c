/* A signed opinion as a file that stands alone (protocol/opinion_file.h). */
#include <stdlib.h>
#include <string.h>

#include "node/api_state.h"

void api_post_export(struct api_call *call)
{
    api_refuse(call, ERR_UNSUPPORTED, "not built yet", NULL);
}
