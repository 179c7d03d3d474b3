"""From a net's answer to alarms: pure functions of arrays, in one order, offline and live."""
