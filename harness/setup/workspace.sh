mkdir /run/src && cp -r /run/packages/* /run/src/\
 && ln -s /usr/share/catkin/cmake/toplevel.cmake /run/src/CMakeLists.txt\
 && cmake -S /run/src -B /run/build -DCMAKE_BUILD_TYPE=Release -DCATKIN_ENABLE_TESTING=OFF\
 -DPYTHON_EXECUTABLE=/usr/bin/python3 -DCMAKE_INSTALL_PREFIX=/run/install\
 && cmake --build /run/build --target install -j"$(nproc)"
