"""The eight nodes of the flow, one file each: functions of the state and of the ports that they name."""
