/* The training part of the shim's table. */
#ifndef IMS_SHIM_TRAIN_H
#define IMS_SHIM_TRAIN_H

#include "shim/shim.h"

namespace ims
{

extern const shim_training training;

} // namespace ims

#endif
