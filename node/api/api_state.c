#include "node/api/api_state.h"

#include <stdlib.h>

#include "node/views/membership_proofs.h"

void api_state_release(struct api *api)
{
    if (--api->uses > 0)
        return;
    for (size_t i = 0; i < api->federation_count; i++) {
        account_close(api->federations[i].accounts);
        inbox_free(api->federations[i].inbox);
        draft_close(api->federations[i].drafts);
        membership_proofs_free(api->federations[i].proofs);
    }
    secure_arena_free(api->secrets);
    free(api);
}
