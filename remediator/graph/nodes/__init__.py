"""The flow's eight nodes, one file each: functions of the state and of just the ports they name."""
