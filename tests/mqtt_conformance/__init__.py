"""The normative statements of MQTT 5.0 and 3.1.1 as tests over a socket, for any broker.

`DOCTOR_MQTT_BROKER=host:port` names another broker than a freshly started Doctor.
"""
