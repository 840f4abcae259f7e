"""TaskOffloading: where does each task run, on the device, a base station, a platform, a satellite or in the cloud?"""
