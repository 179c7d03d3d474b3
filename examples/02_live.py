"""Score frames one at a time, as they arrive.

    python examples/02_live.py [VIDEO]

Needs the model that 01_train_and_score.py leaves in checkpoints/example.
"""

import sys

from street import street

import tlae

model = tlae.load("checkpoints/example/model.safetensors")
live = tlae.Live(model, budget=tlae.Budget(false_alarm_rate=0.1))

footage = tlae.open_footage(sys.argv[1] if sys.argv[1:] else street() / "Test" / "Test002")
frames = alarms = 0
for frame in footage.frames():  # a camera would do as well: any picture with its time
    if frame.image is None:
        continue
    seen = live.push(frame.image, frame.time_s)
    frames, alarms = frames + 1, alarms + seen.alarm
    if seen.alarm:
        row, column = divmod(int(seen.map.argmax()), seen.map.shape[1])
        print(f"{frame.time_s:6.1f} s  raw {seen.raw:.3f} > {seen.threshold:.3f} at {row},{column}")
        if seen.reason:  # the default model says why
            print(f"          it {seen.reason}")
print(f"{alarms} of {frames} frames in alarm")
