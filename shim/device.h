/* The choice of the device that a network runs on. */
#ifndef IMS_SHIM_DEVICE_H
#define IMS_SHIM_DEVICE_H

#include "shim/network.h"

namespace ims
{

/* "auto": CUDA where there is a GPU. Throws MODEL for other devices than cpu and cuda. */
inline at::Device choose_device(const std::string &name)
{
	if (name == "auto")
		return at::hasCUDA() ? at::Device(at::kCUDA) : at::Device(at::kCPU);
	at::Device device(name); /* throws where there is no such device */
	if (device.is_cuda() && !at::hasCUDA())
		throw failure(MODEL, "device " + name + ": this libtorch has no CUDA, or there is no GPU");
	if (!device.is_cuda() && !device.is_cpu())
		throw failure(MODEL, "device " + name + ": only cpu and cuda are supported");
	return device;
}

} // namespace ims

#endif
