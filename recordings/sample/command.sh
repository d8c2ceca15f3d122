roslaunch harness circuit.launch model:=tflite_dynamic circuit:=simple_circuit record_camera:=true output:=/tmp/pitwall/recordings/lap
