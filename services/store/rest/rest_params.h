/* SPDX-License-Identifier: Apache-2.0
 *
 * The parameters of the URL that a route takes. Nothing is passed over in silence: an unknown one is a mistake (400), one
 * that would change the answer and is not there is said to be missing (501).
 */
#ifndef MILLRACE_SERVICES_STORE_REST_REST_PARAMS_H
#define MILLRACE_SERVICES_STORE_REST_REST_PARAMS_H

#include "io/http_target.h"
#include "services/store/api_error.h"

enum rest_params {
    REST_PARAMS_ROOT,
    REST_PARAMS_BULK,
    REST_PARAMS_SEARCH,
    REST_PARAMS_MULTI_SEARCH,
    REST_PARAMS_FIELD_CAPS,
    REST_PARAMS_COUNT_DOCUMENTS,
    REST_PARAMS_WRITE, /* a document */
    REST_PARAMS_UPDATE,
    REST_PARAMS_DELETE,
    REST_PARAMS_READ,
    REST_PARAMS_SEE_TEMPLATE,
    REST_PARAMS_PUT_TEMPLATE,
    REST_PARAMS_INDEX, /* and create, change or delete it */
    REST_PARAMS_FLUSH,
    REST_PARAMS_HEALTH,
    REST_PARAMS_TABLE,
    REST_PARAMS_COUNT
};

/* False with *err: 400 or 501. */
bool rest_check_params(const struct http_target *target, enum rest_params params,
                       struct api_error *err);

#endif
